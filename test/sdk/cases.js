/**
 * Pipelines whose results are known to the last element. Each is a `build` of the graph, what it must write, and on which runners it
 * makes sense. `out` is a file for results, one line of JSON each; `bundles` one for the bundles of the slow step.
 */
const { create, parDo, P, withName, flatten } = require("apache-beam");
const { BytesCoder, VarIntCoder } = require("apache-beam/coders/standard_coders");
const { KVCoder } = require("apache-beam/coders/required_coders");
const { combinePerKey, groupByKey, withCoderInternal } = require("apache-beam/transforms/internal");
const { counter, distribution, iterableSideInput } = require("apache-beam/transforms/pardo");
const { coGroupByKey } = require("backstory/beam/cogroup");
const { withColumns } = require("backstory/beam/coders");
const f = require("./dofns");

const ALL = ["direct", "prism", "flink"];
const PORTABLE = ["prism", "flink"];

const step = (name, doFn, context) => withName(name, parDo(doFn, context));
const one = (root, name = "one", value = 0) => root.apply(withName(name, create([value], false)));
const withBytes = withName("withBytes", withCoderInternal(new KVCoder(new VarIntCoder(), new BytesCoder())));
const withInts = withName("withInts", withCoderInternal(new KVCoder(new VarIntCoder(), new VarIntCoder())));
/** (any, numbers) to their sums, written */
const writeSums = (out) =>
  withName("writeSums", (pairs) =>
    pairs
      .apply(combinePerKey(new f.Sums()))
      .apply(step("sums", new f.Value()))
      .apply(step("write", new f.Write(out))),
  );

const sumTo = (n) => (n * (n - 1)) / 2;

function fanOut(title, count, bytes) {
  return {
    title,
    runners: ALL,
    build: (root, { out }) =>
      one(root)
        .apply(step("fanOut", new f.FanOut(count, bytes, Math.ceil(count / 30))))
        .apply(withBytes)
        .apply(groupByKey())
        .apply(step("tally", new f.Tally()))
        .apply(writeSums(out)),
    expected: [[count, sumTo(count), count * bytes]],
  };
}

const KEYS = [1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 1, 2 ** 40 + 1, 2 ** 53 - 1, 0, -1, -(2 ** 31) - 1, -(2 ** 40)];
/** no safe integers: for the general coder alone */
const FLOATS = [2 ** 53, 2 ** 60, 0.5, 1e300];

function keys(title, values, withCoder) {
  return {
    title,
    runners: ALL,
    build: (root, { out }) =>
      one(root)
        .apply(step("keys", new f.Each([...values, ...values].map((key) => ({ key, value: 1 })))))
        .apply(withCoder)
        .apply(groupByKey())
        .apply(step("count", new f.KeyAndCount()))
        .apply(step("write", new f.Write(out))),
    expected: values.map((key) => [key, 2]),
  };
}

const asIs = withName("asIs", (input) => input);

function coGroup(left, right) {
  return (root, { out }) => {
    const side = (name, count) =>
      one(root, `one ${name}`)
        .apply(step(`numbers ${name}`, new f.Numbers(count)))
        .apply(step(`key ${name}`, new f.KeyBy(500)))
        .apply(withName(`columns ${name}`, withColumns()));
    return P({ left: side("left", left), right: side("right", right) })
      .apply(coGroupByKey())
      .apply(step("lengths", new f.LeftsAndRights()))
      .apply(writeSums(out));
  };
}

const counted = (name) => step(name, new f.Counted(), { seen: counter("seen"), sizes: distribution("sizes") });

/** Eight branches, each with steps of its own that other branches do not wait for. */
function branches(root, { out }) {
  const branch = (i) =>
    one(root, `one ${i}`)
      .apply(step(`numbers ${i}`, new f.Numbers(20_000, i)))
      .apply(step(`key ${i}`, new f.KeyBy(100)))
      .apply(withName(`sums ${i}`, combinePerKey(new f.Sums())))
      .apply(step(`entry ${i}`, new f.Entry()));
  return P(Array.from({ length: 8 }, (_, i) => branch(i)))
    .apply(flatten())
    .apply(writeSums(out));
}

module.exports = {
  fanOut1MB: fanOut("fan-out just above 1 MB", 102, 10_000),
  fanOut2MB: fanOut("fan-out to 2 MB", 20_000, 100),
  fanOut6MB: fanOut("fan-out to 6 MB", 60_000, 100),
  fanOut210MB: fanOut("fan-out to 210 MB", 21_000, 10_000),
  values1MB: fanOut("60 values of 1 MB", 60, 1_000_000),
  keysVarInt: keys("keys to 2^53, VarInt", KEYS, withInts),
  keysGeneral: keys("keys beyond 2^53, general coder", [...KEYS, ...FLOATS], asIs),
  distinctKeys: {
    title: "200,000 distinct keys combined",
    runners: ALL,
    build: (root, { out }) =>
      root
        .apply(create([0, 0], false))
        .apply(step("numbers", new f.Numbers(200_000)))
        .apply(step("key", new f.KeyBy(1e9)))
        .apply(withName("perKey", combinePerKey(new f.Sums())))
        .apply(step("entry", new f.Entry()))
        .apply(writeSums(out)),
    expected: [[200_000, 400_000, 2 * sumTo(200_000)]],
  },
  coGroupLeftOnly: { title: "CoGroupByKey, right side empty", runners: ALL, build: coGroup(5000, 0), expected: [[500, 5000, 0]] },
  coGroupRightOnly: { title: "CoGroupByKey, left side empty", runners: ALL, build: coGroup(0, 5000), expected: [[500, 0, 5000]] },
  metrics: {
    title: "counters and distributions",
    runners: ALL,
    build: (root, { out }) =>
      root
        .apply(create([0, 0, 0], false))
        .apply(step("numbers", new f.Numbers(10_000)))
        .apply(counted("first"))
        .apply(step("key", new f.KeyBy(1000)))
        .apply(groupByKey())
        .apply(step("keyOf", new f.Key()))
        .apply(counted("second"))
        .apply(step("keyAgain", new f.KeyBy(1)))
        .apply(writeSums(out)),
    expected: [[1000, sumTo(1000)]],
    metrics: { seen: 31_000, sizes: { count: 31_000, sum: 3 * sumTo(10_000) + sumTo(1000), min: 0, max: 9999 } },
  },
  slow: {
    title: "slow DoFn, split; metrics of many bundles",
    runners: ALL,
    build: (root, { out, bundles }) =>
      one(root)
        .apply(step("numbers", new f.Numbers(16)))
        .apply(step("key", new f.KeyBy(1e9)))
        .apply(groupByKey())
        .apply(step("slow", new f.Slow(250, bundles)))
        .apply(step("keyOf", new f.Key()))
        .apply(counted("counted"))
        .apply(step("keyAgain", new f.KeyBy(1)))
        .apply(writeSums(out)),
    expected: [[16, sumTo(16)]],
    metrics: { seen: 16, sizes: { count: 16, sum: sumTo(16), min: 0, max: 15 } },
    splits: true,
  },
  sideInput: {
    title: "side input of 5 MB",
    runners: ALL,
    build: (root, { out }) => {
      const side = one(root, "one side")
        .apply(step("fanOut", new f.FanOut(500, 10_000, 7)))
        .apply(withBytes);
      return one(root)
        .apply(step("tallySide", new f.TallySide(), { side: iterableSideInput(side) }))
        .apply(step("write", new f.Write(out)));
    },
    expected: [[500, sumTo(500), 5_000_000]],
  },
  concurrent: {
    title: "eight branches at a time",
    runners: ALL,
    build: branches,
    expected: [[800, 160_000, 8 * sumTo(20_000) + 28 * 20_000]],
  },
  throws: {
    title: "a DoFn that throws",
    runners: ALL,
    build: (root, { out }) =>
      one(root)
        .apply(step("numbers", new f.Numbers(2000)))
        .apply(step("throwAt", new f.ThrowAt(777)))
        .apply(step("key", new f.KeyBy(10)))
        .apply(writeSums(out)),
    error: /RangeError: no place for 777.*at ThrowAt\.process.*dofns\.js/s,
  },
  runnerDies: {
    title: "a runner that dies",
    runners: PORTABLE,
    build: (root, { out, bundles }) =>
      one(root)
        .apply(step("numbers", new f.Numbers(5000)))
        .apply(step("slow", new f.Slow(20, bundles)))
        .apply(step("key", new f.KeyBy(10)))
        .apply(writeSums(out)),
    dies: true,
  },
};
