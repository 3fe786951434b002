/** Parquet files of actions sorted by time, in small row groups, whose footers prove more or less of it. */
import fc from "fast-check";
import type { ColumnMetaData, SchemaElement, Statistics } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { DAY_MICROS } from "../../transforms/calendar";
import { SOME_DAY } from "../transforms/plain";

/** One way to store times, given in microseconds. */
export interface TimeKind {
  schema: Omit<SchemaElement, "name">;
  of: (micros: number) => unknown;
}

const scaled = (perSecond: bigint) => (micros: number) => (BigInt(micros) * perSecond) / 1_000_000n;
const PER_SECOND = { MILLIS: 1000n, MICROS: 1_000_000n, NANOS: 1_000_000_000n };
const timestamp = (unit: keyof typeof PER_SECOND, isAdjustedToUTC: boolean): TimeKind => ({
  schema: { type: "INT64", logical_type: { type: "TIMESTAMP", unit, isAdjustedToUTC } },
  of: scaled(PER_SECOND[unit]),
});
export const INSTANTS = timestamp("MICROS", true);
export const WALL_TIMES = timestamp("MICROS", false);
export const TEXTS: TimeKind = {
  schema: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  of: (micros) => new Date(Math.floor(micros / 1000)).toISOString().replace("T", " ").slice(0, 23),
};
export const DOUBLES: TimeKind = { schema: { type: "DOUBLE" }, of: (micros) => micros };
export const DATES: TimeKind = {
  schema: { type: "INT32", converted_type: "DATE" },
  of: (micros) => Math.floor(micros / DAY_MICROS),
};
const TIMES: TimeKind[] = [
  INSTANTS,
  WALL_TIMES,
  timestamp("MILLIS", true),
  timestamp("NANOS", true),
  timestamp("NANOS", false),
  { schema: { type: "INT64", converted_type: "TIMESTAMP_MILLIS" }, of: scaled(1000n) },
  { schema: { type: "INT64", converted_type: "TIMESTAMP_MICROS" }, of: scaled(1_000_000n) },
  { schema: { type: "INT64" }, of: scaled(1_000_000n) },
  { schema: { type: "INT32" }, of: (micros) => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.floor(micros / 1e6))) },
  TEXTS,
];
const DAYS: TimeKind[] = [DATES, { schema: { type: "INT32", logical_type: { type: "DATE" } }, of: DATES.of }, TEXTS];

export interface Action {
  customer: bigint | null;
  item: bigint | null;
  micros: number | null;
  /** the action's own day, if anyone asks */
  dt: string | null;
}

/** What a footer says of a column chunk, to be changed. */
export type Footer = ColumnMetaData & { statistics: Statistics };
export type Change = (column: string, footer: Footer) => void;

/** Orders if the time is a day, else clicks. All columns are optional where any value is lacking, or if wished so. */
export function actionsFile(rows: readonly Action[], time: TimeKind, groupRows: number, change: Change = () => {}, optional = true) {
  const isDay = DAYS.includes(time) && time !== TEXTS;
  const ids: TimeKind["schema"] = { type: "INT64" };
  const columns: [string, TimeKind["schema"], unknown[]][] = [
    ["dt", TEXTS.schema, rows.map(({ dt }) => dt)],
    ["customer_id", ids, rows.map(({ customer }) => customer)],
    [isDay ? "config_id" : "item_id", ids, rows.map(({ item }) => item)],
    [isDay ? "order_date" : "click_time", time.schema, rows.map(({ micros }) => (micros === null ? null : time.of(micros)))],
  ];
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({
    writer: bytes,
    schema: [
      { name: "root", num_children: columns.length },
      ...columns.map(
        ([name, schema, data]): SchemaElement => ({
          ...schema,
          name,
          repetition_type: optional || data.includes(null) ? "OPTIONAL" : "REQUIRED",
        }),
      ),
    ],
  });
  writer.write({ columnData: columns.map(([name, , data]) => ({ name, data })), rowGroupSize: groupRows });
  for (const group of writer.row_groups)
    for (const { meta_data: footer } of group.columns) change(footer!.path_in_schema[0], footer as Footer);
  writer.finish();
  return { table: isDay ? "previous_orders" : "clicks", bytes: bytes.getBytes() };
}

/** Older writers have min and max alone. */
export const asBefore: Change = (_, { statistics }) => {
  statistics.min = statistics.min_value;
  statistics.max = statistics.max_value;
  delete statistics.min_value;
  delete statistics.max_value;
};

/** Takes a byte from wherever the footer has a bound of this value. */
export function cutBounds(bytes: Uint8Array, value: bigint): Uint8Array<ArrayBuffer> {
  const footerAt = bytes.length - 8 - Buffer.from(bytes).readUInt32LE(bytes.length - 8);
  const footer = Buffer.from(bytes.subarray(footerAt, bytes.length - 8)).toString("latin1");
  const bound = Buffer.from(BigInt64Array.of(value).buffer).toString("latin1");
  const cut = Buffer.from(footer.replaceAll(`\b${bound}`, `\x07${bound.slice(0, 7)}`), "latin1");
  const length = Buffer.from(Uint32Array.of(cut.length).buffer);
  return Buffer.concat([bytes.subarray(0, footerAt), cut, length, Buffer.from("PAR1")]);
}

const HOUR = 3_600_000_000;
/** Around the windows of SOME_DAY and its neighbours, often at a midnight or beside one; once in a while out of all years. */
const time = fc.oneof(
  {
    weight: 60,
    arbitrary: fc
      .tuple(
        fc.oneof(
          fc.integer({ min: -150, max: 150 }),
          fc.integer({ min: -5, max: 5 }).map((days) => 24 * days),
        ),
        fc.constantFrom(-1, 0, 0, 1),
      )
      .map(([hours, plus]) => SOME_DAY * DAY_MICROS + hours * HOUR + plus),
  },
  fc.constantFrom(Date.UTC(1699, 11, 31) * 1000, Date.UTC(2200, 0, 1) * 1000),
);
const rows = fc.tuple(fc.constantFrom(-1n, 0n, 1n, 1n), fc.constantFrom(false, false, true)).chain(([least, lacking]) => {
  const orNull = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => (lacking ? fc.option(value, { freq: 20 }) : value);
  const action = fc.record({
    customer: orNull(fc.constantFrom(1n, 1n, 2n, 3n, 2n ** 53n)),
    item: orNull(fc.constantFrom(least, 1n, 2n, 2n ** 63n - 1n)),
    micros: orNull(time),
    dt: orNull(fc.constantFrom("2025-03-30", "2025-03-29")),
  });
  return fc.array(action, { minLength: 1, maxLength: 40 }).map((all) => all.sort((a, b) => Number(a.micros) - Number(b.micros)));
});

export const sortedFile = fc
  .tuple(
    rows,
    fc.constantFrom(...TIMES, ...DAYS),
    fc.integer({ min: 1, max: 7 }),
    fc.constantFrom<Change | undefined>(undefined, undefined, asBefore),
    fc.boolean(),
  )
  .map((parts) => actionsFile(...parts));
