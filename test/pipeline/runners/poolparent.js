/** Starts a pool with two workers ready, tells their process ids, and goes on for as long as it is let. */
const { WorkerPool } = require("backstory/pipeline/runners/pool");

const settings = { threads: 1, folder: null };
new WorkerPool({ settings, ready: 2, tell: () => {} }).listen().then((pool) => {
  console.log(JSON.stringify(pool.living()));
  setInterval(() => {}, 1000);
});
