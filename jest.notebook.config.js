/** The notebook, by a Python that test/notebook/install.js puts into .cache/notebook/. */
module.exports = {
  testEnvironment: "node",
  testMatch: ["<rootDir>/test/notebook/**/*.test.js"],
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/.cache"],
  transform: {},
  testTimeout: 120_000,
};
