import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { analyse } from "../../pipeline/analyse";
import { ranking, writeOutput } from "./output";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "analyse-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const items = [0n, 0n, 0n, 0n];
const long = (name: string, customer: bigint, slots: number) => ranking(name, customer, slots, items, [1, 1, 3, 2]);
const short = (name: string, customer: bigint, slots: number) => ranking(name, customer, slots, items, [2, 0, 0, 0]);
const none = (name: string, customer: bigint, slots: number) => ranking(name, customer, slots, items, [0, 0, 0, 0]);

test("figures of two days, worked out by hand; item 0 is no padding", async () => {
  writeOutput(folder, "2025-08-03", [...long("a", 1n, 2), ...long("b", 1n, 3), ...short("c", 2n, 1), ...none("d", 3n, 2)]);
  writeOutput(folder, "2025-08-04", short("e", 1n, 2));
  expect((await analyse(folder, 2)).report()).toEqual({
    rows: 10,
    zero_history_pct: 0.2,
    avg_history_length: 2.3,
    action_type_distribution: { 0: 17 / 40, 1: 10 / 40, 2: 8 / 40, 3: 5 / 40 },
    real_action_type_distribution: { 1: 10 / 23, 2: 8 / 23, 3: 5 / 23 },
    rows_by_dt: { "2025-08-03": 8, "2025-08-04": 2 },
    customers_by_dt: { "2025-08-03": 3, "2025-08-04": 1 },
    sequence_length_distribution: { 0: 2, 1: 3, 4: 5 },
    action_type_frequency_by_position: [
      { 0: 2, 1: 5, 2: 3, 3: 0 },
      { 0: 5, 1: 5, 2: 0, 3: 0 },
    ],
  });
});

test.each([1, 2, 5, 100])("row groups of %p rows change nothing", async (rowGroupSize) => {
  const rows = [...long("a", 1n, 4), ...short("b", 2n, 3), ...none("c", 3n, 4)];
  writeOutput(folder, "2025-08-03", rows, rowGroupSize);
  const other = join(folder, "other");
  writeOutput(other, "2025-08-03", rows, 3);
  expect((await analyse(join(folder, "dt=2025-08-03"))).report()).toEqual((await analyse(other)).report());
});

test("a customer counts once a day, also with rows apart or in two files", async () => {
  writeOutput(folder, "2025-08-03", [...long("a", 1n, 1), ...short("b", 2n, 1), ...long("c", 1n, 1)]);
  writeOutput(folder, "2025-08-03", long("d", 1n, 1), 3, 1);
  const { rows, customers_by_dt } = (await analyse(folder)).report();
  expect({ rows, customers_by_dt }).toEqual({ rows: 4, customers_by_dt: { "2025-08-03": 2 } });
});
