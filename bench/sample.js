/** Samples of a kernel on this thread: what `node bench/kernel.js [NAME]` prints. */
const only = process.argv[2];

/** Some systems count processor time in steps of 10 ms, so what is timed takes longer. */
const SAMPLE_NANOS = 150e6;
const SAMPLES = 5;

function nanos() {
  if (process.threadCpuUsage === undefined) return Number(process.hrtime.bigint());
  const { user, system } = process.threadCpuUsage();
  return (user + system) * 1000;
}

const all = [];

/** To be measured; `run` may be asynchronous as long as nothing but its own work is waited for. */
function measure(name, rows, run) {
  if (only === undefined || name.includes(only)) all.push({ name, rows, run });
}

async function sample({ name, rows, run }) {
  let best = Infinity;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const from = nanos();
    let runs = 0;
    for (; nanos() - from < SAMPLE_NANOS; runs++) await run();
    best = Math.min(best, (nanos() - from) / runs);
  }
  console.log(`${name.padEnd(58)} ${(best / rows).toFixed(1).padStart(9)} ns a row`);
}

async function sampleAll() {
  for (const each of all) await sample(each);
}

module.exports = { measure, sampleAll };
