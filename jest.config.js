/** @type {import("jest").Config} */
module.exports = {
  // jest leaves a core free by default, which on two cores is half of them
  maxWorkers: "100%",
  testEnvironment: "node",
  // no test is about speed, and machines may be busy
  testTimeout: 30_000,
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  // suites with Python, Java and the like: jest.slow.config.js and so on
  testPathIgnorePatterns: [
    "<rootDir>/test/docs/(torch)?pages.test.ts",
    // too long for every change: in the slow suite
    "<rootDir>/test/(compare/compare|layouts/(convert|readers)|pipeline/runners/pool|report/report|verify/cases).test.ts",
    "/node_modules/",
    ...["slow", "gcs", "bigquery", "browser", "composer", "reference"].map((name) => `<rootDir>/test/${name}/`),
  ],
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/.cache"],
  transform: {
    "\\.[tj]s$": [
      "@swc/jest",
      { jsc: { target: "es2023", parser: { syntax: "typescript" } }, module: { type: "commonjs" }, sourceMaps: "inline" },
    ],
  },
  // dynamic imports name the compiled file
  moduleNameMapper: {
    "^backstory$": "<rootDir>/pipeline/index.ts",
    "^(\\.{1,2}/.*)\\.js$": "$1",
    // as one file each, in place of some hundred ES modules
    "^@observablehq/plot$": "<rootDir>/node_modules/@observablehq/plot/dist/plot.umd.min.js",
    "^d3(@[\\d.]+/dist/d3.min.js)?$": "<rootDir>/node_modules/d3/dist/d3.min.js",
  },
  // hyparquet and its kin are ES modules; jest's require wants CommonJS
  transformIgnorePatterns: [
    "/node_modules/(?!(hyparquet|temporal-polyfill|temporal-utils|hyparquet-writer|hyparquet-compressors|@bokuweb|fzstd|hysnappy)/)",
  ],
};
