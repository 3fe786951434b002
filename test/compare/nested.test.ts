/** What jobs write besides flat columns: structs, structs in lists, lists that are null, rankings as rows, days in folders of another name. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { type Comparison, compare } from "../../compare/compare";
import { CompareOptions } from "../../compare/options";
import { parseFlags } from "../../pipeline/flags";
import { generate } from "../../pipeline/generate";
import { buildTo, type Row, readFile } from "../verify/outputs";

jest.setTimeout(300_000);

const folder = mkdtempSync(join(tmpdir(), "backstory-nested-"));
const at = (...path: string[]) => join(folder, ...path);
const inputs = ["impressions", "clicks", "add_to_carts", "previous_orders"].map(
  (table) => `--${table.replaceAll("_", "-")}=${at("in", `${table}.ndjson`)}`,
);
const flags = [...inputs, "--history-length=40", "--columns=standard,+times"];
const compared = (a: string, b: string, ...how: string[]): Promise<Comparison> =>
  compare(at(a), at(b), parseFlags(CompareOptions, how, 0).options);
/** Rows of an output with their day. */
let rows: Row[];

beforeAll(async () => {
  await generate({ output: at("in"), rankings: 60, actions: 3000, customers: 20, items: 60, days: 2 });
  await buildTo(at("rows"), flags);
  await buildTo(at("rankings"), [...inputs, "--history-length=40", "--layout=rankings", "--padding=none"]);
  const files = readdirSync(at("rows"), { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".parquet"));
  rows = (
    await Promise.all(
      files.map(async (path) => (await readFile(at("rows", path))).rows.map((row) => ({ ...row, dt: /dt=([\d-]+)/.exec(path)![1] }))),
    )
  ).flat();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Of a schema. */
interface Element {
  name: string;
  type?: string;
  repetition_type?: string;
  converted_type?: string;
  num_children?: number;
}
const field = (name: string, type: string, converted?: string): Element => ({
  name,
  type,
  repetition_type: "OPTIONAL",
  ...(converted === undefined ? {} : { converted_type: converted }),
});
const struct = (name: string, ...fields: Element[]): Element[] => [
  { name, repetition_type: "OPTIONAL", num_children: fields.length },
  ...fields,
];
const structs = (name: string, ...fields: Element[]): Element[] => [
  { name, repetition_type: "OPTIONAL", converted_type: "LIST", num_children: 1 },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  { name: "element", repetition_type: "OPTIONAL", num_children: fields.length },
  ...fields,
];
const IDS = [field("ranking_id", "BYTE_ARRAY", "UTF8"), field("customer_id", "INT64")];
const SLOT = [field("item_id", "INT64"), field("is_order", "BOOLEAN")];
const HISTORY = [field("time", "INT64", "TIMESTAMP_MILLIS"), field("type", "INT32"), field("item", "INT64")];

/** The real actions as structs; null where there are none. */
function history({ actions, action_types, action_times }: Row): object[] | null {
  const types = (action_types as number[]).filter((type) => type !== 0);
  const struct = (type: number, i: number) => ({
    time: new Date(Number((action_times as bigint[])[i]) / 1000),
    type,
    item: (actions as bigint[])[i],
  });
  return types.length === 0 ? null : types.map(struct);
}

function write(name: string, key: string, columns: Element[][], all: Row[]): void {
  for (const [dt, ofDay] of Map.groupBy(all, ({ dt }) => String(dt))) {
    mkdirSync(at(name, `${key}=${dt}`), { recursive: true });
    const schema = [{ name: "root", num_children: columns.length }, ...columns.flat()];
    const names = columns.map(([{ name }]) => name);
    const columnData = names.map((column) => ({ name: column, data: ofDay.map((row) => row[column]) }));
    writeFileSync(at(name, `${key}=${dt}`, "part.parquet"), Buffer.from(parquetWriteBuffer({ schema, columnData } as never)));
  }
}

const HISTORY_NAMES = "actions=history.item,action_types=history.type";

test("slots and histories as structs, in folders of another name", async () => {
  const slots = rows.map((row) => ({ ...row, slot: { item_id: row.item_id, is_order: row.is_order }, history: history(row) }));
  expect(slots.some((row) => row.history === null)).toBe(true);
  write("structs", "ds", [[IDS[0]], [IDS[1]], struct("slot", ...SLOT), structs("history", ...HISTORY)], slots);
  const names = `--columns=dt=ds,item_id=slot.item_id,is_order=slot.is_order,${HISTORY_NAMES}`;
  const { total, compared: content, dts } = await compared("rows", "structs", `${names},action_times=history.time`, "--ignore-padding");
  // times of this file are milliseconds, so they are the same only where no finer digits were cut off
  expect(content).toEqual(["is_order", "actions", "action_types", "action_times"]);
  expect(dts).toHaveLength(2);
  const whole = rows.filter(({ action_times }) => (action_times as bigint[]).every((time) => time % 1000n === 0n)).length;
  expect(total.same).toBe(whole);
  expect((await compared("rows", "structs", names, "--ignore-padding")).total).toMatchObject({ same: rows.length, different: 0 });
  const { reasons } = await compared("rows", "structs", names);
  expect(reasons.map(({ reason }) => reason)).toEqual(["padding length"]);
});

describe("a row for each ranking", () => {
  const RANKINGS = `--columns=item_id=impressions.item_id,is_order=impressions.is_order,${HISTORY_NAMES}`;
  const rankings = (change: (slots: Row[]) => Row[] = (slots) => slots) =>
    [...Map.groupBy(rows, ({ dt, ranking_id, customer_id }) => `${dt} ${ranking_id} ${customer_id}`).values()].map((slots) => ({
      ...slots[0],
      impressions: change(slots).map(({ item_id, is_order }) => ({ item_id, is_order })),
      history: history(slots[0]),
    }));
  const columns = [[IDS[0]], [IDS[1]], structs("impressions", ...SLOT), structs("history", ...HISTORY)];

  test("is compared with the layout rankings", async () => {
    write("jobs", "dt", columns, rankings());
    const { total, key, compared: content } = await compared("rankings", "jobs", RANKINGS);
    expect(total).toMatchObject({ different: 0, onlyHere: 0, onlyThere: 0 });
    expect(total.same).toBeGreaterThan(50);
    expect(key).toEqual(["ranking_id", "customer_id"]);
    expect(content).toEqual(["item_id", "is_order", "actions", "action_types"]);
  });

  test("slots in another order are other values, and told to those who ask", async () => {
    write(
      "turned",
      "dt",
      columns,
      rankings((slots) => slots.toReversed()),
    );
    const { reasons } = await compared("rankings", "turned", RANKINGS, "--show-values");
    expect(reasons.map(({ reason }) => reason)).toEqual(["other values"]);
    const { columns: differ, values } = reasons[0].example;
    expect(differ).toContain("item_id");
    expect(values!.here.item_id.split(" ").toReversed().join(" ")).toBe(values!.there.item_id);
  });

  test("is not compared with slots", async () => {
    write("jobs", "dt", columns, rankings());
    await expect(compared("rows", "jobs", RANKINGS)).rejects.toThrow(
      /a row of ".*rows" is a slot, one of ".*jobs" a ranking.*backstory convert/,
    );
  });

  test("fields that are not there are told with those that are", async () => {
    await expect(compared("rankings", "jobs", "--columns=actions=history.sku")).rejects.toThrow(
      /has no column history\.sku; it has ranking_id, customer_id, impressions\.item_id, impressions\.is_order, history\.time, history\.type, history\.item\./,
    );
    await expect(compared("rankings", "jobs")).rejects.toThrow(
      /column impressions has nulls, or a type that cannot be compared.*history\.item/,
    );
  });
});
