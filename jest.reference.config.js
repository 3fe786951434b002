const fast = require("./jest.config.js");

/** Completion in real shells, man pages by real formatters, and the page that takes api-extractor; test/reference/install.js brings the programs. */
module.exports = {
  ...fast,
  testMatch: ["<rootDir>/test/reference/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  testTimeout: 120_000,
};
