// Loaded into a process of a test by NODE_OPTIONS: it kills itself before its rename number BACKSTORY_DIE_AT.
const fs = require("node:fs");

const { renameSync } = fs;
let left = Number(process.env.BACKSTORY_DIE_AT);
fs.renameSync = (from, to) => {
  if (--left === 0) process.kill(process.pid, "SIGKILL");
  renameSync(from, to);
};
