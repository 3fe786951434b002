const fast = require("./jest.config.js");

/** Buckets on a real server, which test/gcs/install.js puts into .cache/sdk/, with faults on the way to it. */
module.exports = {
  ...fast,
  testMatch: ["<rootDir>/test/gcs/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  testTimeout: 120_000,
};
