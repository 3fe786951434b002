const fast = require("./jest.config.js");

/** What needs more than Node: Python with the packages of test/requirements.txt (PYTHON names it), Java for PySpark. */
module.exports = {
  ...fast,
  testMatch: ["<rootDir>/test/slow/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  testTimeout: 600_000,
};
