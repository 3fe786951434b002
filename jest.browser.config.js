const fast = require("./jest.config.js");

/** Pages in a real browser, which comes as a package. PICTURES=FOLDER keeps screenshots. */
module.exports = {
  ...fast,
  testMatch: ["<rootDir>/test/browser/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  testTimeout: 240_000,
};
