const fast = require("./jest.config.js");

/** The PyTorch example, and the pages that use it, by a Python that test/training/install.js puts into .cache/python-torch/. */
module.exports = {
  ...fast,
  testMatch: ["<rootDir>/test/training/**/*.test.js", "<rootDir>/test/docs/torchpages.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  testTimeout: 300_000,
};
