/** Parquet files of the four tables, plain and odd, as hyparquet-writer writes them. */
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import type { CompressionCodec, Encoding, SchemaElement } from "hyparquet";
import { ByteWriter, parquetWrite } from "hyparquet-writer";

export interface ParquetFile {
  table: string;
  bytes: Uint8Array;
}

/** One way to store a column, and what may stand in it. */
interface Kind {
  schema: (name: string, repetition: "OPTIONAL" | "REQUIRED") => SchemaElement[];
  value: fc.Arbitrary<unknown>;
  encodings: (Encoding | undefined)[];
}

const leaf =
  (of: Omit<SchemaElement, "name">) =>
  (name: string, repetition_type: "OPTIONAL" | "REQUIRED"): SchemaElement[] => [{ ...of, name, repetition_type }];
const INTEGERS: Kind["encodings"] = [undefined, "PLAIN", "RLE_DICTIONARY", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"];
const TEXTS: Kind["encodings"] = [undefined, "PLAIN", "RLE_DICTIONARY", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"];

const long = fc.constantFrom(
  1n,
  1n,
  1n,
  2n,
  2n,
  3n,
  0n,
  -1n,
  2n ** 53n,
  2n ** 53n + 1n,
  -(2n ** 63n),
  2n ** 63n - 1n,
  2n ** 32n + 1n,
  -(2n ** 32n),
);
const int = fc.constantFrom(1, 1, 2, 2, 3, 0, -1, 2 ** 31 - 1, -(2 ** 31));
const text = fc.constantFrom("a", "r1", "r1", "r23456789", "", "ä", "\u{1F600}", "dt=x");
const dayText = fc.constantFrom(
  "2025-03-28",
  "2025-03-29",
  "2025-03-30",
  "2025-03-30",
  "2025-03-30",
  "2025-03-31",
  "1700-01-01",
  "2199-12-31",
);
const oddDayText = fc.oneof(
  { weight: 20, arbitrary: dayText },
  fc.constantFrom("dt=2025-03-30", "2025-02-30", "1699-12-31", "", "é", "2025-3-30"),
);
const clock = fc.constantFrom("00:00:00", "23:59:59.999999", "02:30:00", "10:20:30.5", "01:59:59.9999999", "00:00:00x", "24:00:00");
const zone = fc.constantFrom("", "", "", "Z", "+02", " UTC");
const timeText = fc.tuple(dayText, fc.constantFrom(" ", "T"), clock, zone).map((parts) => parts.join(""));

const epochDay = (day: string): number => Date.parse(day) / 86_400_000;
const day = fc.oneof(
  { weight: 20, arbitrary: dayText.map(epochDay) },
  fc.constantFrom(epochDay("1699-12-31"), epochDay("2200-01-01"), -(2 ** 31)),
);

/** In a unit of which a second has so many: around clock changes, in 1700 and 2199, before 1970, and beyond all years. */
const instant = (perSecond: bigint): fc.Arbitrary<bigint> => {
  const limit = 2n ** 63n - 1n;
  const inside = (value: bigint) => (value > limit ? limit : value < -limit - 1n ? -limit - 1n : value);
  const around = fc.tuple(
    fc.constantFrom(
      "2025-03-28",
      "2025-03-30T01:00",
      "2025-10-26T02:30",
      "2025-03-29",
      "1970-01-01",
      "1969-12-31",
      "1700-01-01",
      "2200-01-01",
    ),
    fc.integer({ min: -4000, max: 4000 }),
  );
  return fc.oneof(
    {
      weight: 10,
      arbitrary: around.map(([at, plus]) =>
        inside((BigInt(Date.parse(`${at}${at.length > 10 ? "Z" : ""}`)) * perSecond) / 1000n + BigInt(plus)),
      ),
    },
    {
      weight: 10,
      arbitrary: fc.tuple(dayText, fc.nat(86_399)).map(([d, s]) => inside((BigInt(Date.parse(d)) / 1000n + BigInt(s)) * perSecond + 1n)),
    },
    fc.constantFrom(limit, -limit - 1n, -1n, -999n, -1000n, -1001n, 0n),
    fc.constantFrom("1700-01-01", "2200-01-01").map((at) => inside((BigInt(Date.parse(at)) / 1000n) * perSecond)),
  );
};
const timestamp = (unit: "MILLIS" | "MICROS" | "NANOS", isAdjustedToUTC: boolean): Kind => ({
  schema: leaf({ type: "INT64", logical_type: { type: "TIMESTAMP", unit, isAdjustedToUTC } }),
  value: instant({ MILLIS: 1000n, MICROS: 1_000_000n, NANOS: 1_000_000_000n }[unit]),
  encodings: INTEGERS,
});
const number = (perSecond: bigint): Kind => ({ schema: leaf({ type: "INT64" }), value: instant(perSecond), encodings: INTEGERS });

const IDS: Kind[] = [
  { schema: leaf({ type: "INT64" }), value: long, encodings: INTEGERS },
  { schema: leaf({ type: "INT64" }), value: long, encodings: INTEGERS },
  { schema: leaf({ type: "INT32" }), value: int, encodings: INTEGERS },
  { schema: leaf({ type: "INT64", converted_type: "INT_64" }), value: long, encodings: INTEGERS },
  {
    schema: leaf({ type: "INT32", logical_type: { type: "INTEGER", bitWidth: 16, isSigned: true } }),
    value: fc.constantFrom(1, 2, -3),
    encodings: INTEGERS,
  },
];
const ODD_IDS: Kind[] = [
  { schema: leaf({ type: "INT64", converted_type: "UINT_64" }), value: fc.constantFrom(1n, 2n, 2n ** 64n - 1n), encodings: ["PLAIN"] },
  {
    schema: leaf({ type: "INT32", logical_type: { type: "INTEGER", bitWidth: 32, isSigned: false } }),
    value: fc.constantFrom(1, 2, 2 ** 32 - 1),
    encodings: ["PLAIN"],
  },
  { schema: leaf({ type: "DOUBLE" }), value: fc.constantFrom(1, 1.5), encodings: ["PLAIN"] },
  {
    schema: leaf({ type: "INT64", logical_type: { type: "TIMESTAMP", unit: "MILLIS", isAdjustedToUTC: true } }),
    value: long,
    encodings: ["PLAIN"],
  },
  { schema: leaf({ type: "BYTE_ARRAY", converted_type: "UTF8" }), value: fc.constantFrom("1", "2", "x"), encodings: TEXTS },
];
const TEXT: Kind = { schema: leaf({ type: "BYTE_ARRAY", converted_type: "UTF8" }), value: text, encodings: TEXTS };
const BYTES: Kind = {
  schema: leaf({ type: "BYTE_ARRAY" }),
  value: fc.oneof(
    text.map((some) => Buffer.from(some)),
    fc.constant(Buffer.of(0xff)),
  ),
  encodings: ["PLAIN"],
};
const TIMES: Kind[] = [
  ...(["MILLIS", "MICROS", "NANOS"] as const).flatMap((unit) => [timestamp(unit, true), timestamp(unit, false)]),
  { schema: leaf({ type: "INT64", converted_type: "TIMESTAMP_MILLIS" }), value: instant(1000n), encodings: INTEGERS },
  { schema: leaf({ type: "INT64", converted_type: "TIMESTAMP_MICROS" }), value: instant(1_000_000n), encodings: INTEGERS },
  { ...TEXT, value: timeText },
  ...[1n, 1000n, 1_000_000n, 1_000_000_000n].map(number),
  { schema: leaf({ type: "INT32" }), value: fc.constantFrom(1_743_292_800, -1, 0), encodings: INTEGERS },
];
const DAYS: Kind[] = [
  { ...TEXT, value: oddDayText },
  { ...TEXT, value: dayText },
  { schema: leaf({ type: "INT32", converted_type: "DATE" }), value: day, encodings: INTEGERS },
  { schema: leaf({ type: "INT32", logical_type: { type: "DATE" } }), value: day, encodings: ["PLAIN", "RLE_DICTIONARY"] },
];

type Repetition = "OPTIONAL" | "REQUIRED";
/** Lists in three levels, each of them with nulls or without; `extra` are further members. */
function slots(list: Repetition, element: Repetition, member: Repetition, item: Kind, extra: [string, Kind][]): Kind {
  const members: [string, Kind][] = [
    ["item_id", item],
    ["is_order", { schema: leaf({ type: "BOOLEAN" }), value: fc.boolean(), encodings: [] }],
    ...extra,
  ];
  const orNull = (value: fc.Arbitrary<unknown>, repetition: Repetition, freq = 30) =>
    repetition === "REQUIRED" ? value : fc.option(value, { freq });
  const slot = fc.record(Object.fromEntries(members.map(([name, { value }]) => [name, orNull(value, member)])));
  const some = fc.oneof({ weight: 20, arbitrary: fc.array(orNull(slot, element), { minLength: 1, maxLength: 5 }) }, fc.constant([]));
  return {
    schema: (name) => [
      { name, repetition_type: list, converted_type: "LIST", num_children: 1 },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      { name: "element", repetition_type: element, num_children: members.length },
      ...members.flatMap(([name, { schema }]) => schema(name, member)),
    ],
    value: some,
    encodings: [undefined],
  };
}
const repetition = fc.constantFrom<Repetition>("OPTIONAL", "REQUIRED");
const lists = fc
  .tuple(
    repetition,
    repetition,
    repetition,
    fc.constantFrom(...IDS),
    fc.constantFrom<[string, Kind][]>([], [], [["rank", IDS[2]]], [["why", TEXT]]),
  )
  .map((parts) => slots(...parts));

const kinds = (usual: Kind[], odd: Kind[]) => fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...usual) }, fc.constantFrom(...odd));
const COLUMNS: Record<string, Record<string, fc.Arbitrary<Kind>>> = {
  impressions: {
    dt: kinds(DAYS, IDS),
    ranking_id: kinds([TEXT, { ...TEXT, value: fc.constantFrom("a", "b", "long enough") }, BYTES], IDS),
    customer_id: kinds(IDS, ODD_IDS),
    impressions: fc.oneof({ weight: 12, arbitrary: lists }, fc.constant(TEXT)),
  },
  clicks: {
    dt: kinds(DAYS, [...TIMES, BYTES]),
    customer_id: kinds(IDS, ODD_IDS),
    item_id: kinds(IDS, ODD_IDS),
    click_time: kinds(TIMES, DAYS),
  },
  add_to_carts: {
    dt: kinds(DAYS, TIMES),
    customer_id: kinds(IDS, ODD_IDS),
    config_id: kinds(IDS, ODD_IDS),
    occurred_at: kinds(TIMES, DAYS),
  },
  previous_orders: {
    order_date: kinds(DAYS, TIMES),
    customer_id: kinds(IDS, ODD_IDS),
    config_id: kinds(IDS, ODD_IDS),
    occurred_at: kinds(TIMES, DAYS),
  },
};

interface Column {
  name: string;
  schema: SchemaElement[];
  data: unknown[];
  encoding: Encoding | undefined;
}

function column(name: string, { schema, value, encodings }: Kind, rows: number): fc.Arbitrary<Column> {
  const exactly = { minLength: rows, maxLength: rows };
  return fc.tuple(fc.constantFrom(...encodings), fc.constantFrom(0, 0, 3, 20)).chain(([encoding, freq]) => {
    const own = schema(name, freq === 0 ? "REQUIRED" : "OPTIONAL");
    const nullable = own[0].repetition_type === "OPTIONAL";
    const data = fc.array(nullable && freq > 0 ? fc.option(value, { freq }) : value, exactly);
    return data.map((data) => ({ name, schema: own, data, encoding: encoding as Encoding | undefined }));
  });
}

const CODECS: CompressionCodec[] = ["SNAPPY", "UNCOMPRESSED", "GZIP"];

function write(columns: readonly Column[], codec: CompressionCodec, pageSize: number, rowGroupSize: number): Uint8Array {
  const writer = new ByteWriter();
  parquetWrite({
    writer,
    schema: [{ name: "root", num_children: columns.length }, ...columns.flatMap(({ schema }) => schema)],
    columnData: columns.map(({ name, data, encoding }) => ({ name, data, encoding })),
    codec,
    compressors: { GZIP: (bytes) => gzipSync(bytes) },
    pageSize,
    rowGroupSize,
  });
  return writer.getBytes();
}

/** A file of a table: some rows, a column or two perhaps missing, in pages and row groups of any size. */
export const parquetFile = (table: string): fc.Arbitrary<ParquetFile> =>
  fc
    .tuple(
      fc.record(COLUMNS[table]),
      fc.subarray(Object.keys(COLUMNS[table]), { minLength: 0, maxLength: 1 }),
      fc.nat(9),
      fc.integer({ min: 1, max: 40 }),
    )
    .chain(([all, missing, often, rows]) => {
      const names = Object.keys(all).filter((name) => often > 0 || !missing.includes(name));
      const columns = fc.tuple(...names.map((name) => column(name, all[name], rows)));
      return fc.tuple(columns, fc.constantFrom(...CODECS), fc.constantFrom(8, 40, 100, 1 << 20), fc.constantFrom(1, 7, 16, 1000));
    })
    .map(([columns, codec, pageSize, rowGroupSize]) => ({ table, bytes: write(columns, codec, pageSize, rowGroupSize) }));

/** Clicks and rankings of so many rows: of ten clicks one has no customer and one is out of all years, of ten rankings one has no slots. */
export function longParquet(rows: number, rowGroupSize: number): [clicks: Uint8Array, rankings: Uint8Array] {
  const of = <T>(value: (k: number) => T): T[] => Array.from({ length: rows }, (_, k) => value(k));
  const list = slots("OPTIONAL", "OPTIONAL", "OPTIONAL", IDS[0], []);
  const column = (name: string, kind: Kind, data: unknown[]): Column => ({
    name,
    schema: kind.schema(name, "OPTIONAL"),
    data,
    encoding: undefined,
  });
  const micros = (k: number) => (k % 10 === 3 ? 2n ** 62n : BigInt(Date.parse("2025-03-29")) * 1000n + BigInt(k));
  const slot = (k: number) => ({ item_id: BigInt(k), is_order: k % 3 === 0 });
  const clicks = [
    column(
      "item_id",
      IDS[0],
      of((k) => BigInt(k % 100)),
    ),
    column(
      "customer_id",
      IDS[0],
      of((k) => (k % 10 === 0 ? null : BigInt(k))),
    ),
    column("click_time", timestamp("MICROS", true), of(micros)),
  ];
  const rankings = [
    column(
      "dt",
      TEXT,
      of((k) => (k % 2 === 0 ? "2025-03-29" : "2025-03-30")),
    ),
    column(
      "ranking_id",
      TEXT,
      of((k) => `ranking ${k}`),
    ),
    column(
      "customer_id",
      IDS[2],
      of((k) => k % 7),
    ),
    column(
      "impressions",
      list,
      of((k) => (k % 10 === 0 ? [] : Array.from({ length: (k % 30) + 1 }, (_, j) => slot(k + j)))),
    ),
  ];
  return [write(clicks, "SNAPPY", 1000, rowGroupSize), write(rankings, "SNAPPY", 5000, rowGroupSize)];
}
