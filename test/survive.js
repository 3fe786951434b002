/**
 * What a DoFn, CombineFn or coder makes of some inputs, as text that two processes can compare.
 * As a program: a process that knows nothing but the modules' registered names. Reads { modules, things } from standard input, as v8
 * serializes it; each thing is a payload of a pipeline and inputs for what is in it. Writes the outcomes.
 */
const { readFileSync } = require("node:fs");
const v8 = require("node:v8");

/** @returns {Promise<string>} */
async function outcomeOf(thing, inputs) {
  if (thing.addInput !== undefined) return text(combine(thing, inputs));
  if (thing.encode !== undefined) return text(inputs.map((input) => roundTrip(thing, input)));
  // an async DoFn is given where to emit; it need not be an async function
  if (thing.process.length < 2) return text(bundle(thing, inputs));
  const outputs = [];
  for (const input of inputs) await thing.process(input, async (output) => void outputs.push(output));
  return text(outputs);
}

function combine(fn, inputs) {
  const half = inputs.length >> 1;
  const part = (some) => some.reduce((sum, input) => fn.addInput(sum, input), fn.createAccumulator());
  return fn.extractOutput(fn.mergeAccumulators([part(inputs.slice(0, half)), part(inputs.slice(half))]));
}

function bundle(doFn, inputs) {
  doFn.startBundle?.();
  const outputs = inputs.flatMap((input) => [...doFn.process(input)]);
  return [...outputs, ...(doFn.finishBundle === undefined ? [] : [...doFn.finishBundle()].map(({ value }) => value))];
}

function roundTrip(coder, input) {
  const { Reader, Writer } = require("protobufjs");
  const writer = Writer.create();
  coder.encode(input, writer);
  return coder.decode(Reader.create(writer.finish()));
}

/** Names of attempts and runs are random; all else is to be the same. */
function text(value) {
  return JSON.stringify(value, (name, each) => {
    if (name === "attempt" || name === "runId") return "random";
    if (typeof each === "bigint") return `${each}n`;
    return ArrayBuffer.isView(each) ? `${each.constructor.name} ${Array.from(each).join()}` : each;
  });
}

async function main() {
  const { modules, things } = v8.deserialize(readFileSync(0));
  for (const name of modules) require(name);
  const { deserializeFn } = require("apache-beam/internal/serialize");
  const { globalRegistry } = require("apache-beam/coders/coders");
  const outcomes = [];
  for (const { payload, field, urn, inputs } of things) {
    const thing = urn === undefined ? deserializeFn(payload)[field] : globalRegistry().getCoder(urn);
    outcomes.push(inputs === undefined ? thing.constructor.name : await outcomeOf(thing, inputs));
  }
  process.stdout.write(v8.serialize(outcomes));
}

module.exports = { outcomeOf };
if (require.main === module) void main();
