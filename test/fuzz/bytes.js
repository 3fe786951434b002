/** Random changes to real bytes. */
const fc = require("fast-check");

/** Numbers at edges, as bytes of any width: counts, lengths, offsets, varints. */
const EDGES = [
  "00",
  "01",
  "7f",
  "80",
  "ff",
  "ffff",
  "ffffff7f",
  "ffffffff",
  "ffffffff0f",
  "feffffff0f",
  "ffffffffffffffffff01",
  "80808080808080808001",
].map((hex) => Buffer.from(hex, "hex"));

/** One change: where (a fraction, often near the front or the end, where headers and footers are), of how many bytes, and to what. */
const change = (tokens) =>
  fc.record({
    kind: fc.constantFrom("flip", "flip", "set", "edge", "edge", "token", "cut", "remove", "repeat", "swap"),
    at: fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0.8, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 0.1, noNaN: true }),
    ),
    value: fc.nat(255),
    length: fc.oneof(fc.nat(8), fc.nat(300)),
    edge: fc.constantFrom(...EDGES),
    token: fc.constantFrom(...(tokens.length > 0 ? tokens : [""])),
  });

function changed(bytes, { kind, at, value, length, edge, token }) {
  const from = Math.min(bytes.length, Math.floor(at * bytes.length));
  const to = Math.min(bytes.length, from + length);
  const around = (middle, rest = from) => Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(rest)]);
  switch (kind) {
    case "flip":
      return around(Buffer.of((bytes[from] ?? 0) ^ (1 << (value & 7))), from + 1);
    case "set":
      return around(Buffer.of(value), from + 1);
    case "edge":
      return around(edge, value & 1 ? from : from + edge.length);
    case "token":
      return around(Buffer.from(token), value & 1 ? from : from + Buffer.byteLength(token));
    case "cut":
      return value & 1 ? bytes.subarray(0, from) : bytes.subarray(from);
    case "remove":
      return around(Buffer.alloc(0), to);
    case "repeat":
      return around(Buffer.concat(Array.from({ length: 1 + (value & 15) }, () => bytes.subarray(from, to))), to);
    default:
      return around(Buffer.from(bytes.subarray(from, to)).reverse(), to);
  }
}

/** Seeds with some changes; now and then two behind one another, or none changed. */
const mutated = (seeds, tokens = []) =>
  fc
    .tuple(fc.constantFrom(...seeds), fc.array(change(tokens), { maxLength: 6 }), fc.option(fc.constantFrom(...seeds), { freq: 8 }))
    .map(([seed, changes, other]) => changes.reduce(changed, other ? Buffer.concat([seed, other]) : seed));

module.exports = { mutated };
