/**
 * What a build shuffles: runs the graph on the direct runner and encodes every element that reaches a grouping, as it would on a cluster.
 *
 *     npm run build && node bench/shuffle.js --impressions=... --output=...   (the flags of backstory build; --json prints the figures as one line)
 *
 * A table of groupings: elements; bytes as columns lie in memory, and as encoded; the largest element and the largest group as encoded; and how quickly
 * columns are encoded and decoded, in bytes as they lie in memory for a second of processor time. Wants Node 24.
 */
require("apache-beam");
const { mkdirSync, rmSync } = require("node:fs");
const { PaneInfoCoder } = require("apache-beam/coders/standard_coders");
const { groupByKey } = require("apache-beam/transforms/internal");
const { GlobalWindow } = require("apache-beam/values");
const { Context } = require("apache-beam/coders/coders");
const operators = require("apache-beam/worker/operators");
const { Reader, Writer } = require("protobufjs");
const { directRunner } = require("apache-beam/runners/direct_runner");
const { bytesOf } = require("backstory/beam/spill");
const { backstory } = require("backstory/pipeline/backstory");
const { parseFlags } = require("backstory/pipeline/flags");
const { BuildOptions } = require("backstory/pipeline/options");
const { planRun } = require("backstory/pipeline/plan");

const groupings = new Map();

/** Milliseconds of this thread, since others may be at work on the machine. */
function cpu() {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** What the coder makes of an element. */
function encoded(seen, coder, value) {
  const began = cpu();
  const writer = Writer.create();
  coder.encode(value, writer, Context.needsDelimiters);
  const bytes = writer.finish();
  const middle = cpu();
  const back = coder.decode(Reader.create(bytes), Context.needsDelimiters);
  seen.encodeMs += middle - began;
  seen.decodeMs += cpu() - middle;
  seen.raw += bytesOf(back);
  seen.elements++;
  seen.bytes += bytes.length;
  seen.most = Math.max(seen.most, bytes.length);
  return { size: bytes.length, back };
}

/** As the direct runner's own, but elements pass the coder. Windows are global and keys are numbers in all of this graph. */
class Grouping {
  constructor(transformId, transform, context) {
    this.transformId = transformId;
    this.receiver = context.getReceiver(Object.values(transform.outputs)[0]);
    const { coders, pcollections } = context.descriptor;
    const { coderId } = pcollections[Object.values(transform.inputs)[0]];
    this.coder = context.pipelineContext.getCoder(coders[coderId].componentCoderIds[1]);
    this.name = transform.uniqueName.replace(/^backstory\//, "");
  }
  async startBundle() {
    this.groups = new Map();
    this.seen = { elements: 0, raw: 0, bytes: 0, most: 0, keys: 0, group: 0, encodeMs: 0, decodeMs: 0 };
    groupings.set(this.name, this.seen);
  }
  process({ value: { key, value } }) {
    const { size, back } = encoded(this.seen, this.coder, value);
    if (!this.groups.has(key)) this.groups.set(key, { values: [], bytes: 0 });
    const group = this.groups.get(key);
    group.values.push(back);
    group.bytes += size;
    return operators.NonPromise;
  }
  async finishBundle() {
    this.seen.keys = this.groups.size;
    for (const { bytes } of this.groups.values()) this.seen.group = Math.max(this.seen.group, bytes);
    for (const [key, { values }] of this.groups) {
      this.groups.delete(key);
      const windows = [new GlobalWindow()];
      const timestamp = windows[0].maxTimestamp();
      const done = this.receiver.receive({ value: { key, value: values }, windows, timestamp, pane: PaneInfoCoder.ONE_AND_ONLY_FIRING });
      if (done !== operators.NonPromise) await done;
    }
  }
}

const mb = (bytes) => (bytes / 1e6).toFixed(bytes < 1e6 ? 3 : 1);

async function main() {
  const { options } = parseFlags(BuildOptions, process.argv.slice(2), 0);
  const plan = await planRun(options, "shuffle");
  mkdirSync(plan.files.attempts, { recursive: true });
  operators.registerOperator(groupByKey.urn, Grouping);
  await directRunner().run((root) => void root.apply(backstory(plan)));
  rmSync(plan.files.attempts, { recursive: true, force: true });
  if (options.json) return console.log(JSON.stringify([...groupings].map(([name, figures]) => ({ name, ...figures }))));
  console.log(
    "| grouping | elements | MB in memory | MB encoded | largest, MB | keys | largest group, MB | encode, MB/s | decode, MB/s |\n|---|---|---|---|---|---|---|---|---|",
  );
  for (const [name, { elements, raw, bytes, most, keys, group, encodeMs, decodeMs }] of groupings)
    console.log(
      `| ${name} | ${elements} | ${mb(raw)} | ${mb(bytes)} | ${mb(most)} | ${keys} | ${mb(group)} | ${(raw / encodeMs / 1e3).toFixed(0)} | ${(raw / decodeMs / 1e3).toFixed(0)} |`,
    );
}

main();
