/** Jobs from the command line through a Dataflow of our own to Prism; test/dataflow/install.js puts what it needs into .cache/sdk/. */
module.exports = {
  testEnvironment: "node",
  testMatch: ["<rootDir>/test/dataflow/**/*.test.js", "<rootDir>/test/discovery/**/*.test.js"],
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/.cache"],
  transform: {},
  testTimeout: 300_000,
  // jobs are measured in cores, so there is one at a time
  maxWorkers: 1,
};
