import fc from "fast-check";
import { JsonRows, parseJson } from "../../../pipeline/io/json";
import type { Cell } from "../../../transforms/cells";

const COLUMNS = ["customer_id", "item_id", "impressions", "é"];

/** Reads one line; the bytes around it would complete a JSON text that is cut, and must not be seen. */
function read(line: string | Buffer): Cell[] | string {
  const bytes = Buffer.from(line);
  const rows = new JsonRows(COLUMNS);
  const fault = rows.read(Buffer.concat([Buffer.from('{"customer_id":'), bytes, Buffer.from('"}]}0e9')]), 15, 15 + bytes.length);
  return fault ?? [...rows.cells];
}

/** The same, slowly: JSON.parse knows no integers beyond 2^53, so numbers are tested apart. */
function readNaively(line: string): Cell[] | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "not JSON";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "not an object";
  const row = value as { [name: string]: Cell };
  return COLUMNS.map((column) => (Object.hasOwn(row, column) ? row[column] : undefined));
}

const scalar = () => fc.oneof(fc.maxSafeInteger(), fc.boolean(), fc.constant(null), fc.string({ unit: "grapheme" }));
const name = () => fc.oneof(fc.constantFrom(...COLUMNS, "__proto__", "a"), fc.string());
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, scalar(), fc.array(tie("value"), { maxLength: 4 }), fc.dictionary(name(), tie("value"), { maxKeys: 4 })),
}));

test("a row is what JSON.parse makes of it, whatever the blanks", () =>
  fc.assert(
    fc.property(fc.dictionary(name(), value), fc.constantFrom("", " ", "\t", "\r\n  "), (row, blank) => {
      const line = blank + JSON.stringify(row, null, blank) + blank;
      expect(read(line)).toEqual(readNaively(line));
    }),
  ));

test("a text that is damaged anywhere is accepted or refused as JSON.parse does it", () =>
  fc.assert(
    fc.property(
      fc.dictionary(name(), value),
      fc.nat(),
      fc.constantFrom("", '"', "{", "]", ",", ":", "\\", "0", "u", "-", "\n", "\x01"),
      (row, where, damage) => {
        const line = JSON.stringify(row);
        const at = where % (line.length + 1);
        const damaged = line.slice(0, at) + damage + line.slice(at + 1);
        fc.pre(!/\p{Surrogate}|\\u[dD]/u.test(damaged) && !/[0-9.]{16}|\d[.eE]/.test(damaged));
        expect(read(damaged)).toEqual(readNaively(damaged));
      },
    ),
    { numRuns: 500 },
  ));

test("escapes say what JSON.parse says", () =>
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const escaped = Array.from({ length: text.length }, (_, k) => `\\u${text.charCodeAt(k).toString(16).padStart(4, "0")}`).join("");
      expect(read(`{"item_id":"${escaped}"}`)).toEqual([undefined, text, undefined, undefined]);
    }),
  ));

test("integers are exact, numbers where they are safe and else bigints", () =>
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (integer) => {
      const safe = Number.isSafeInteger(Number(integer));
      expect(read(`{"item_id":${integer}}`)).toEqual([undefined, safe ? Number(integer) : integer, undefined, undefined]);
    }),
  ));

test.each([
  ["-0", 0],
  ["9007199254740991", 9007199254740991],
  ["9007199254740992", 9007199254740992n],
  ["9007199254740993", 9007199254740993n],
  ["-9223372036854775808", -9223372036854775808n],
  ["1.0", Number.NaN],
  ["1e3", Number.NaN],
  ["1E+400", Number.NaN],
  ["0.5e-7", Number.NaN],
  ["9".repeat(1_000_000), Number.NaN],
  ['"12"', "12"],
  ["null", null],
  ["true", true],
])("%.20s as a cell", (json, cell) => {
  expect(read(`{"item_id":${json}}`)).toEqual([undefined, cell, undefined, undefined]);
});

test.each([
  "01",
  "1.",
  ".5",
  "+1",
  "-",
  "1e",
  "1e+",
  "0x1",
  "1_0",
  "NaN",
  "Infinity",
  "-Infinity",
  "tru",
  "truee",
  "'a'",
  "[1,]",
  "[,1]",
  "{,}",
  '{"a":1,}',
  '{"a"}',
  "{1:2}",
  '"\\x"',
  '"\\u12g4"',
  '"\t"',
  "",
  "\u00a01",
  "\ufeff1",
])("%s is no JSON", (json) => {
  expect(read(`{"item_id":${json}}`)).toBe("not JSON");
  expect(read(`{"other":${json}}`)).toBe("not JSON");
});

test.each([["1"], ["[]"], ['"{}"'], ["null"], ["[{}]"]])("%s is no object", (json) => expect(read(json)).toBe("not an object"));
test.each([["{}{}"], ["{} 1"], ["\ufeff{}"], ["{}\0"], [""], [" "]])("%j is no JSON", (json) => expect(read(json)).toBe("not JSON"));

test("the last of duplicate keys counts, however the key is written", () => {
  expect(read('{"item_id":1,"item_id":2,"it\\u0065m_id":3,"\\u00e9":1,"é":2}')).toEqual([undefined, 3, undefined, 2]);
  expect(read('{"impressions":[{"a":1,"a":2}]}')).toEqual([undefined, undefined, [{ a: 2 }], undefined]);
});

test("__proto__ is a name like any other", () => {
  const [, , cell] = read('{"impressions":{"__proto__":{"x":1}}}') as Cell[];
  expect(Object.entries(cell as object)).toEqual([["__proto__", { x: 1 }]]);
});

describe("a surrogate without its other half", () => {
  test.each([
    ['{"a":"\\ud800"}'],
    ['{"a":"\\udc00\\ud800"}'],
    ['{"a":"\\ud83d\\u0041"}'],
    ['{"\\ud800":1}'],
    ['{"a":[{"b":"\\udfff"}]}'],
    ['["\\ud800"]'],
  ])("%s is refused", (line) => expect(read(line)).toBe("not JSON"));

  test.each([['{"a":"\\ud800","a":1,"item_id":5}'], ['{"a":{"b":["\\ud800"]},"a":1,"item_id":5}'], ['{"a":"\\uD83D\\uDE00","item_id":5}']])(
    "%s is none in the end",
    (line) => expect(read(line)).toEqual([undefined, 5, undefined, undefined]),
  );
});

test.each([
  ["overlong", [0xc0, 0xaf]],
  ["a surrogate", [0xed, 0xa0, 0x80]],
  ["cut", [0xe2, 0x82]],
  ["beyond Unicode", [0xf4, 0x90, 0x80, 0x80]],
  ["a lone byte", [0xff]],
])("UTF-8 that is %s is refused, in a column that nobody wants too", (_, bytes) => {
  expect(read(Buffer.concat([Buffer.from('{"other":"'), Buffer.from(bytes), Buffer.from('"}')]))).toBe("not JSON");
});

describe("nesting", () => {
  const nested = (depth: number, rest = "") => `{"other":${"[".repeat(depth - 1)}${rest}${"]".repeat(depth - 1)}}`;
  test("64 levels are fine, 65 are not", () => {
    expect(read(nested(64))).toEqual(COLUMNS.map(() => undefined));
    expect(read(nested(65))).toBe("nested too deeply");
  });
  test("brackets in strings do not count", () => expect(read(`{"item_id":"${"[".repeat(100)}\\"${"{".repeat(100)}"}`)).toHaveLength(4));
  test("it is said before anything else, unless the text is not UTF-8", () => {
    expect(read(nested(65, "tru"))).toBe("nested too deeply");
    expect(read("[".repeat(65))).toBe("nested too deeply");
    expect(read(`x${"[".repeat(65)}`)).toBe("nested too deeply");
    expect(read(Buffer.concat([Buffer.from(nested(65)), Buffer.from([0xff])]))).toBe("not JSON");
  });
  test("a million brackets are no danger", () => expect(read("[".repeat(1_000_000))).toBe("nested too deeply"));
});

test("parseJson reads any value by the same rules", () => {
  expect(parseJson('[{"item_id":9007199254740993,"is_order":true}]')).toEqual({ cell: [{ item_id: 9007199254740993n, is_order: true }] });
  expect(parseJson(Buffer.from(" 1 "))).toEqual({ cell: 1 });
  expect(parseJson("[1")).toEqual({ fault: "not JSON" });
  expect(parseJson('"\ud800"')).toEqual({ fault: "not JSON" });
  expect(parseJson("[".repeat(65) + "]".repeat(65))).toEqual({ fault: "nested too deeply" });
});
