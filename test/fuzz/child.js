/** The process of one target: tries the corpus, then random cases until its time is over. Tells how far it is, and what it found. */
const { existsSync, readdirSync, readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const fc = require("fast-check");
const { TARGETS } = require("./targets.js");

const [, , name, minutes, seed, folder] = process.argv;
const until = Date.now() + Number(minutes) * 60_000;
/** Of memory that one case may add to what the process had. A window of 256 MB that doubles is the most that is meant to be. */
const CASE_MB = 900;

const prototypes = [Object.prototype, Array.prototype, Function.prototype];
const pristine = prototypes.map((each) => Reflect.ownKeys(each).length);

let cases = 0;
let told = 0;
let peak = 0;
const peakMb = () => Math.round(process.resourceUsage().maxRSS / 1024);

async function tryOne(target, bytes) {
  writeFileSync(join(folder, "case"), bytes);
  await target.check(bytes, folder);
  cases++;
  if (!prototypes.every((each, i) => Reflect.ownKeys(each).length === pristine[i])) throw new Error("Object.prototype was changed");
  const mb = peakMb();
  if (peak > 0 && mb > peak + CASE_MB) throw new Error(`memory grew from ${peak} to ${mb} MB`);
  if (cases > 20) peak = Math.max(peak, mb);
  if (Date.now() - told > 500) {
    told = Date.now();
    process.send({ cases, mb });
  }
}

async function main() {
  const target = await TARGETS[name](folder);
  const place = join(__dirname, "corpus", name);
  const corpus = existsSync(place) ? readdirSync(place).map((file) => readFileSync(join(place, file))) : [];
  for (const bytes of corpus) await tryOne(target, bytes);
  if (until <= Date.now()) return;
  const property = fc.asyncProperty(target.cases(corpus), (bytes) => tryOne(target, bytes));
  // shrunk for a while only: what is kept is the smallest found
  const { failed, counterexample, errorInstance } = await fc.check(property, {
    numRuns: Number.MAX_SAFE_INTEGER,
    seed: Number(seed),
    interruptAfterTimeLimit: until - Date.now(),
    markInterruptAsFailure: false,
  });
  if (!failed) return;
  writeFileSync(join(folder, "case"), counterexample[0]);
  throw errorInstance;
}

main().then(
  () => process.send({ cases, mb: peakMb() }, () => process.exit(0)),
  (error) => process.send({ cases, mb: peakMb(), fault: String(error?.stack ?? error).slice(0, 3000) }, () => process.exit(1)),
);
