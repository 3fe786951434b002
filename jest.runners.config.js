/** The whole command on Prism and Flink, which test/sdk/install.js puts into .cache/sdk/. */
module.exports = {
  testEnvironment: "node",
  testMatch: ["<rootDir>/test/runners/**/*.test.js"],
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/.cache"],
  transform: {},
  testTimeout: 400_000,
  // runs are measured in cores, so there is one at a time
  maxWorkers: 1,
};
