const fast = require("./jest.config.js");

/** The DAG in real Airflows, which test/composer/install.js puts into .cache/. */
module.exports = {
  ...fast,
  testMatch: ["<rootDir>/test/composer/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  testTimeout: 900_000,
};
