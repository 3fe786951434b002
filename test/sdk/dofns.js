/** The functions of the conformance suite's pipelines; plain JavaScript, so that workers load them as they are. */
const { appendFileSync } = require("node:fs");
const { requireForSerialization } = require("apache-beam/serialization");

/** One element to `count` pairs of a key and `bytes` bytes, the first four of which are the pair's number. */
class FanOut {
  constructor(count, bytes, keys) {
    Object.assign(this, { count, bytes, keys });
  }
  *process() {
    for (let i = 0; i < this.count; i++) {
      const value = Buffer.alloc(this.bytes);
      value.writeUInt32LE(i);
      yield { key: i % this.keys, value };
    }
  }
}

/** Values of FanOut: how many, the sum of their numbers, the sum of their bytes. */
function tally(values) {
  const sums = [0, 0, 0];
  for (const bytes of values) {
    sums[0] += 1;
    sums[1] += Buffer.from(bytes.buffer, bytes.byteOffset).readUInt32LE();
    sums[2] += bytes.length;
  }
  return sums;
}

class Tally {
  *process({ value }) {
    yield { key: 0, value: tally(value) };
  }
}

/** Adds up lists of numbers, place by place. */
class Sums {
  createAccumulator() {
    return [];
  }
  addInput(sums, numbers) {
    const longer = numbers.length > sums.length ? numbers : sums;
    return longer.map((_, i) => (numbers[i] ?? 0) + (sums[i] ?? 0));
  }
  mergeAccumulators(parts) {
    return [...parts].reduce((sums, part) => this.addInput(sums, part), []);
  }
  extractOutput(sums) {
    return sums;
  }
}

class Each {
  constructor(values) {
    this.values = values;
  }
  *process() {
    yield* this.values;
  }
}

class Numbers {
  constructor(count, from = 0) {
    Object.assign(this, { count, from });
  }
  *process(add) {
    for (let i = 0; i < this.count; i++) yield this.from + i + add;
  }
}

/** A number to (number modulo keys, [1, number]). */
class KeyBy {
  constructor(keys) {
    this.keys = keys;
  }
  *process(n) {
    yield { key: n % this.keys, value: [1, n] };
  }
}

class Key {
  *process({ key }) {
    yield key;
  }
}

class Value {
  *process({ value }) {
    yield value;
  }
}

/** (any, numbers) to one key and [1, ...numbers]. */
class Entry {
  *process({ value }) {
    yield { key: 0, value: [1, ...value] };
  }
}

/** (key, [1, number]) to [key, how many values]. */
class KeyAndCount {
  *process({ key, value }) {
    yield [key, [...value].length];
  }
}

class LeftsAndRights {
  *process({ value: { left, right } }) {
    yield { key: 0, value: [1, left.length, right.length] };
  }
}

class Counted {
  *process(n, { seen, sizes }) {
    seen.increment(1);
    sizes.update(n);
    yield n;
  }
}

/** Busy for some time with each element; tells each bundle. */
class Slow {
  constructor(millis, path) {
    Object.assign(this, { millis, path });
  }
  startBundle() {
    appendFileSync(this.path, `${process.pid}\n`);
  }
  *process(element) {
    const end = Date.now() + this.millis;
    while (Date.now() < end);
    yield element;
  }
}

class ThrowAt {
  constructor(bad) {
    this.bad = bad;
  }
  *process(n) {
    if (n === this.bad) throw new RangeError(`no place for ${n}`);
    yield n;
  }
}

class TallySide {
  *process(_, { side }) {
    yield tally(Array.from(side.lookup(), ({ value }) => value));
  }
}

/** Each element as a line of JSON. */
class Write {
  constructor(path) {
    this.path = path;
  }
  *process(element) {
    appendFileSync(this.path, `${JSON.stringify(element)}\n`);
    yield 0;
  }
}

const all = {
  Counted,
  Each,
  Entry,
  FanOut,
  Key,
  KeyAndCount,
  KeyBy,
  LeftsAndRights,
  Numbers,
  Slow,

  Sums,
  Tally,
  TallySide,
  ThrowAt,
  Value,
  Write,
};
requireForSerialization("backstory/test/sdk/dofns", all);
module.exports = all;
