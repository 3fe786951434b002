/** The PyTorch example, by a Python that test/training/install.js puts into .cache/training/. */
module.exports = {
  testEnvironment: "node",
  testMatch: ["<rootDir>/test/training/**/*.test.js"],
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/.cache"],
  transform: {},
  testTimeout: 300_000,
};
