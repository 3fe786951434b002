const fast = require("./jest.config.js");

/** deploy/terraform, by a parser and a formatter that test/terraform/install.js puts into .cache/terraform/. */
module.exports = {
  ...fast,
  testMatch: ["<rootDir>/test/terraform/**/*.test.js"],
  testPathIgnorePatterns: ["/node_modules/"],
  testTimeout: 60_000,
};
