/** What the images have in them, which test/images/root.js makes a folder of, and what builds and starts them. */
module.exports = {
  testEnvironment: "node",
  testMatch: ["<rootDir>/test/images/**/*.test.js"],
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/.cache"],
  transform: {},
  testTimeout: 300_000,
  maxWorkers: 1,
};
