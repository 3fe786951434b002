import fc from "fast-check";

/** Texts of JSON values, most of them right for some column. */
const integers = fc.oneof(
  fc.bigInt({ min: -(1n << 63n) - 3n, max: (1n << 63n) + 3n }).map(String),
  fc.nat(99_999_999).map(String),
  fc
    .constantFrom(
      0n,
      9n,
      9999n,
      10_000n,
      99_999_999n,
      100_000_000n,
      2n ** 31n,
      2n ** 32n,
      2n ** 53n,
      2n ** 63n,
      2n ** 64n,
      10n ** 15n,
      10n ** 19n,
    )
    .chain((n) => fc.integer({ min: -2, max: 2 }).chain((d) => fc.constantFrom(String(n + BigInt(d)), String(-n - BigInt(d))))),
  fc.constantFrom("0", "-0", "00", "01", "-", "-01", "1.0", "1e3", "1E+2", "12345678.5", "+1", "1_000", "0x10", "9".repeat(41)),
);

const two = (n: number): string => String(n).padStart(2, "0");

export const dates = fc.oneof(
  { weight: 40, arbitrary: fc.integer({ min: -98_615, max: 84_005 }).map((day) => new Date(day * 864e5).toISOString().slice(0, 10)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(1600, 1699, 1700, 1900, 2000, 2023, 2024, 2100, 2199, 2200, 9999), fc.nat(14), fc.nat(33))
      .map(([y, m, d]) => `${y}-${two(m)}-${two(d)}`),
  },
  fc.constantFrom("2024-02-30", "2023-02-29", "2024-2-1", "dt=2024-01-01", "2024/01/01", "0000-00-00", "2024-01-0:", "20240101"),
);

/** Mostly `usual`, now and then `odd`. */
const mostly = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>, weight = 30): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: usual }, odd);

const clock = (h: number, m: number, s: number) => fc.tuple(fc.nat(h), fc.nat(m), fc.nat(s)).map((parts) => parts.map(two).join(":"));

export const timestamps = fc
  .tuple(
    dates,
    mostly(fc.constantFrom(" ", "T"), fc.constantFrom("t", "  ", "_")),
    mostly(clock(23, 59, 59), fc.oneof(clock(30, 70, 70), fc.constantFrom("1:02:03", "12-00-00", "24:00:00", "00:00"))),
    mostly(
      fc.oneof(fc.constant(""), fc.stringMatching(/^\.[0-9]{1,9}$/)),
      fc.oneof(fc.constantFrom(".", ",5"), fc.stringMatching(/^\.[0-9]{10,11}$/)),
    ),
    mostly(fc.constantFrom("", "", "", "Z", " UTC"), fc.constantFrom("z", "UTC", " UT", "+00", "+02:00", "-1830", " "), 12),
  )
  .map((parts) => parts.join(""));

const strings = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("é", "a\tb", 'say "x"', "back\\slash", "\u007f", "\u0000", "plain text", "\ud83d"),
);

export const scalars = fc.oneof(
  { weight: 4, arbitrary: integers },
  { weight: 4, arbitrary: integers.map((text) => `"${text}"`) },
  { weight: 2, arbitrary: dates.map((text) => `"${text}"`) },
  { weight: 4, arbitrary: timestamps.map((text) => `"${text}"`) },
  strings.map((text) => JSON.stringify(text)),
  strings.map((text) => `"${text.replaceAll("\n", " ")}"`),
  fc.constantFrom(
    "true",
    "false",
    "null",
    "True",
    "NaN",
    "nul",
    "truex",
    "",
    '"',
    "{}",
    "[1]",
    '{"item_id":1}',
    "-1.5e-3",
    "0.10",
    "1.",
    ".5",
    "1e",
    "01",
    "-",
  ),
);

const blanks = fc.constantFrom("", "", "", "", " ", "  ", "\t", "\r");

/** A line of NDJSON from members, most of them as `usual` has them; keys in any order, doubled or missing, blanks here and there. */
export function objects(usual: Record<string, fc.Arbitrary<string>>): fc.Arbitrary<string> {
  const names = Object.keys(usual);
  const member = (name: string) =>
    fc.tuple(
      mostly(fc.constant(`"${name}"`), fc.constantFrom(`"\\u0069${name.slice(1)}"`, `"é"`, `"x"`, name, '"__proto__"'), 60),
      mostly(usual[name], scalars, 60),
    );
  const doubled = fc
    .tuple(fc.constantFrom(...names), fc.shuffledSubarray(names, { minLength: names.length }))
    .map(([name, all]) => [name, ...all]);
  const order = fc.oneof(
    { weight: 10, arbitrary: fc.constant(names) },
    { weight: 5, arbitrary: fc.shuffledSubarray(names, { minLength: names.length }) },
    fc.shuffledSubarray(names),
    doubled,
  );
  return order.chain((keys) =>
    fc
      .tuple(
        fc.tuple(...keys.map(member)),
        fc.oneof(
          { weight: 3, arbitrary: fc.constantFrom(["", "", "", "", ""], ["", "", "", " ", " "]) },
          fc.tuple(blanks, blanks, blanks, blanks, blanks),
        ),
      )
      .map(
        ([members, [a, b, c, d, e]]) => `${a}{${b}${members.map(([key, value]) => `${key}${c}:${d}${value}`).join(`${e},${b}`)}${c}}${d}`,
      ),
  );
}

/** Lists of slots as JSON. */
const easySlots = fc
  .array(
    fc.record(
      { item_id: fc.nat(99_999), is_order: fc.boolean(), score: fc.constantFrom(0.5, null) },
      { requiredKeys: ["item_id", "is_order"] },
    ),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  .map((slots) => JSON.stringify(slots));

const oddSlots = fc
  .tuple(
    fc.array(
      objects({
        item_id: mostly(fc.nat(99_999).map(String), integers),
        is_order: mostly(fc.constantFrom("true", "false"), fc.constantFrom("1", "0", "tru", "falsy", "null", '"true"'), 60),
        score: mostly(fc.constantFrom("0.5", "null", '"a"'), fc.constantFrom("[]", "-")),
      }),
      { maxLength: 5 },
    ),
    fc.nat(30),
  )
  .map(([slots, how]) =>
    how === 0 ? `[${slots.join(",")},]` : how === 1 ? slots.join(",") : how === 2 ? `[ ${slots.join(" , ")} ]` : `[${slots.join(",")}]`,
  );

export const slotLists = mostly(easySlots, oddSlots, 2);

/** A CSV record of cells, most of them as `usual` has them, some quoted. */
export function records(usual: fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  const cell = (text: fc.Arbitrary<string>) =>
    fc.tuple(text, fc.nat(39)).map(([given, how]) => (how < 8 ? `"${given.replaceAll('"', '""')}"` : how === 8 ? `${given}"` : given));
  const cells = fc.tuple(...usual.map((text) => cell(mostly(text, integers, 60))));
  return fc
    .tuple(cells, fc.nat(19))
    .map(([texts, extra]) => (extra === 0 ? [...texts, "1"] : extra === 1 ? texts.slice(1) : texts).join(","));
}

/** The bytes of a text, one line unless line feeds are let in, with some bytes replaced, left out or put in, or cut short. */
export function mutated(texts: fc.Arbitrary<string>, lineFeeds = false): fc.Arbitrary<Buffer> {
  const byte = fc.oneof(fc.constantFrom(...Buffer.from('"\\,:{}[]0129-.TZ \r\x00\x80\xff', "latin1")), fc.nat(255));
  const edits = fc.array(fc.tuple(fc.nat(), byte, fc.nat(2)), { maxLength: 3 });
  return fc
    .tuple(texts, fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, edits), mostly<number | null>(fc.constant(null), fc.nat()))
    .map(([text, changes, cut]) => {
      const bytes = [...Buffer.from(text)];
      for (const [where, value, how] of changes) bytes.splice(where % (bytes.length + 1), how === 0 ? 0 : 1, ...(how === 2 ? [] : [value]));
      const all = Buffer.from(bytes.filter((value) => lineFeeds || value !== 10));
      return cut === null ? all : all.subarray(0, cut % (all.length + 1));
    });
}
