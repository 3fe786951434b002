const fast = require("./jest.config.js");

/** BigQuery as its published description has it, with DuckDB behind it and buckets on a real server: test/bigquery/install.js. */
module.exports = {
  ...fast,
  testMatch: ["<rootDir>/test/bigquery/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  testTimeout: 120_000,
};
