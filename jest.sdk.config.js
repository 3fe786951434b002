/** The conformance suite: the SDK, patched, on real runners, which test/sdk/install.js puts into .cache/sdk/. */
module.exports = {
  testEnvironment: "node",
  testMatch: ["<rootDir>/test/sdk/**/*.test.js"],
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/.cache"],
  moduleNameMapper: { "^backstory/package.json$": "<rootDir>/package.json", "^backstory/(.*)$": "<rootDir>/dist/$1.js" },
  transform: {},
  testTimeout: 300_000,
};
