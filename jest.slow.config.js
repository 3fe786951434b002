const fast = require("./jest.config.js");

// for test/suite.ts, in every worker of jest
process.env.SUITE = "slow";
const again = ["fastscan", "badinput", "laws", "threads", "publish", "gather", "parquet/trainingfile"];

/**
 * What needs more than Node: Python with the packages of test/requirements.txt (PYTHON names it), Java for PySpark. And
 * files of the fast suite that have more and larger cases here.
 */
module.exports = {
  ...fast,
  testMatch: [
    "<rootDir>/test/slow/**/*.test.ts",
    "<rootDir>/test/docs/pages.test.ts",
    "<rootDir>/test/{compare/compare,layouts/readers,pipeline/runners/pool,report/report,verify/cases}.test.ts",
    ...again.map((name) => `<rootDir>/test/pipeline/${name}.test.ts`),
    "<rootDir>/test/verify/{inputs,options}.test.ts",
    "<rootDir>/test/layouts/{build,convert}.test.ts",
    "<rootDir>/test/transforms/recent.test.ts",
  ],
  testPathIgnorePatterns: ["/node_modules/"],
  testTimeout: 600_000,
};
