import fc from "fast-check";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { type Content, prepare, TrainingFile, type TrainingFileOptions } from "../../../pipeline/parquet/trainingfile";

/** What is written, as plain objects. */
export interface TestHistory {
  customer: bigint;
  /** newest first; time in microseconds */
  actions: { item: bigint; type: number; time: number }[];
  slots: { id: string; index: number; item: bigint; isOrder: boolean }[];
}

export const STANDARD: Content[] = [
  "ranking_id",
  "customer_id",
  "impression_index",
  "item_id",
  "is_order",
  "impressions",
  "actions",
  "action_types",
];

export const columnsOf = (holds: Content[]) => holds.map((content) => ({ holds: content, name: content as string }));

export const optionsOf = (options: Partial<TrainingFileOptions> = {}): TrainingFileOptions => ({
  historyLength: 10,
  columns: columnsOf(STANDARD),
  compression: "snappy",
  rowGroupBytes: 1e6,
  createdBy: "backstory version 0.0.0 (build 0)",
  ...options,
});

/** The rows a file must have, one by one. */
export function naiveRows(histories: TestHistory[], { historyLength, columns, padding }: TrainingFileOptions): Record<string, unknown>[] {
  return histories.flatMap(({ customer, actions, slots }) =>
    slots.map((slot) => {
      const padded = <T>(values: T[], zero: T) =>
        padding === "none" ? values : [...values, ...Array<T>(historyLength - values.length).fill(zero)];
      const row: Record<Content, unknown> = {
        ranking_id: slot.id,
        customer_id: customer,
        impression_index: slot.index,
        item_id: slot.item,
        is_order: slot.isOrder,
        impressions: slot.item,
        actions: padded(
          actions.map(({ item }) => item),
          0n,
        ),
        action_types: padded(
          actions.map(({ type }) => type),
          0,
        ),
        history_length: actions.length,
        action_times: padded(
          actions.map(({ time }) => BigInt(time)),
          0n,
        ),
      };
      return Object.fromEntries(columns.map(({ holds, name }) => [name, row[holds]]));
    }),
  );
}

const wordsOf = (id: bigint) => [Number(BigInt.asIntN(32, id)), Number(id >> 32n)] as const;

/** Writes a file. All histories pass through the same arrays, as a caller's may. */
export async function write(histories: TestHistory[], options: TrainingFileOptions) {
  await prepare(options.compression);
  const parts: Uint8Array[] = [];
  const file = new TrainingFile(options, (bytes) => parts.push(bytes.slice()));
  const most = Math.max(1, ...histories.map(({ actions }) => actions.length));
  const items = new BigInt64Array(most + 1);
  const types = new Uint8Array(most + 1);
  const times = new Float64Array(most + 1);
  const ids = Buffer.alloc(10_000);
  for (const { customer, actions, slots } of histories) {
    actions.forEach((action, i) => {
      items[i + 1] = action.item;
      types[i + 1] = action.type;
      times[i + 1] = action.time;
    });
    file.history(...wordsOf(customer), new Int32Array(items.buffer), types, times, 1, 1 + actions.length);
    let ranking: string | undefined;
    for (const { id, index, item, isOrder } of slots) {
      if (id !== ranking) {
        const end = 1 + ids.write((ranking = id), 1);
        file.ranking(ids, 1, end);
      }
      file.slot(index, ...wordsOf(item), isOrder ? 1 : 0);
    }
  }
  const summary = file.finish();
  return { bytes: new Uint8Array(Buffer.concat(parts)), summary };
}

export const bufferOf = (bytes: Uint8Array) => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;

export const metadataOf = (bytes: Uint8Array) => parquetMetadata(bufferOf(bytes));

export const read = (bytes: Uint8Array): Promise<Record<string, unknown>[]> => parquetReadObjects({ file: bufferOf(bytes), compressors });

const INT64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
/** Ids that repeat, extremes, ids that share one half, and any id. */
export const anyId = fc.oneof(
  { weight: 4, arbitrary: fc.bigInt({ min: 0n, max: 20n }) },
  { weight: 2, arbitrary: INT64 },
  fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, -1n, 0n, 2n ** 31n, -(2n ** 31n), 2n ** 32n, 2n ** 32n - 1n),
);

const anyRankingId = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 30 }).map((n) => `r${n}`) },
  { weight: 2, arbitrary: fc.string({ minLength: 1, unit: "grapheme" }) },
  fc.string({ minLength: 1, maxLength: 4, unit: "binary" }).map((text) => text.repeat(20)),
);

/** @param most actions of a history */
export function anyHistory(most: number): fc.Arbitrary<TestHistory> {
  return fc.record({
    customer: anyId,
    actions: fc.array(
      fc.record({
        item: anyId,
        type: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 127 })),
        time: fc.integer({ min: -8_520_336_000_000_000, max: 7_258_118_400_000_000 }),
      }),
      { maxLength: most, size: "max" },
    ),
    slots: fc.array(fc.record({ id: anyRankingId, index: fc.integer({ min: 0, max: 2 ** 31 - 1 }), item: anyId, isOrder: fc.boolean() }), {
      maxLength: 12,
    }),
  });
}

/** Order of first appearance, by Map. */
export function numbered<T>(values: T[]): { distinct: T[]; indexes: number[] } {
  const known = new Map<T, number>();
  const indexes = values.map((value) => {
    if (!known.has(value)) known.set(value, known.size);
    return known.get(value)!;
  });
  return { distinct: [...known.keys()], indexes };
}
