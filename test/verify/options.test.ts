/** Options of real builds that random cases have not: verified by manifest and without a false alarm; and what cannot be. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main } from "../../pipeline/cli";
import { Calendar } from "../../transforms/calendar";
import { customerHash } from "../../transforms/ids";
import { columnsByName } from "../../verify/output/columns";
import { murmur3, shardOf } from "../../verify/output/order";
import { batchesOf, footerOf } from "../../verify/output/reader";
import { Rows } from "../../verify/output/rows";
import { Zone } from "../../verify/zone";
import { ndjson } from "../graphs";
import { partsOf } from "../rows";
import { SLOW } from "../suite";
import { buildTo, flagsOf, forget, verified, writeInputs } from "./outputs";

jest.setTimeout(300_000);

const folder = mkdtempSync(join(tmpdir(), "backstory-verify-options-"));
afterAll(() => rmSync(folder, { recursive: true }));
let inputs: string[];
beforeAll(() => {
  const customers = Array.from({ length: 40 }, (_, i) => i + 1);
  inputs = writeInputs(folder, {
    impressions: {
      "all.ndjson": ndjson(
        customers.map((customer, i) => ({
          dt: `2025-03-${29 + (i % 3)}`,
          ranking_id: `r${i}`,
          customer_id: customer,
          impressions: [
            { item_id: i, is_order: false },
            { item_id: 2, is_order: true },
          ],
        })),
      ),
    },
    clicks: {
      "all.ndjson": ndjson(
        customers.flatMap((customer) =>
          [28, 29, 30].map((day) => ({ customer_id: customer, item_id: day, dt: `2025-03-${day}`, click_time: `2025-03-${day} 02:30:00` })),
        ),
      ),
    },
    previous_orders: {
      "all.ndjson": ndjson(customers.map((customer) => ({ customer_id: customer, config_id: 3, order_date: "2025-03-28" }))),
    },
  });
});

// biome-ignore format: a table
test.each([
  [{}], [{ shards: "7" }], [{ shards: "3", compression: "zstd" }], [{ compression: "none" }], [{ "history-length": "1" }], [{ "row-group-bytes": "1" }],
  [{ columns: "ranking_id=session,customer_id=who,impression_index=at,item_id=what,is_order=bought,impressions=seen,actions=past,action_types=kinds" }],
  [{ columns: "customer_id,actions,action_types" }], [{ columns: "customer_id,ranking_id,action_times" }], [{ columns: "customer_id,actions" }],
  [{ columns: "customer_id,history_length,impression_index" }], [{ columns: "+length,+times" }],
  [{ timezone: "Europe/Berlin", "lookback-days": "1" }], [{ timezone: "America/Sao_Paulo", "lookback-days": "none" }], [{ "lookback-days": "0" }],
  [{ "order-lag-days": "2", "action-clock": "both" }], [{ dates: "2025-03-30" }], [{ "train-days": "2" }], [{ "drop-empty-history": true, "lookback-days": "1" }],
] as Record<string, string | boolean>[][])("%j", async (options) => {
  const output = mkdtempSync(join(folder, "out-"));
  const flags = [...inputs, ...flagsOf(options)];
  await buildTo(output, flags);
  for (const sample of SLOW ? ["all", "5"] : ["all"]) expect((await verified(output, [`--sample=${sample}`])).findings).toEqual([]);
  forget(output);
  for (const sample of SLOW ? ["all", "5"] : ["5"]) expect((await verified(output, [...flags, `--sample=${sample}`])).findings).toEqual([]);
  const report = await verified(output);
  // names that only their options explain are the one thing that rows alone cannot tell
  if (!String(options.columns).includes("=")) expect(report.findings).toEqual([]);
});

test("without customer_id rows are checked in themselves, and that is said", async () => {
  const output = mkdtempSync(join(folder, "out-"));
  await buildTo(output, [...inputs, "--columns=ranking_id,actions,action_types"]);
  expect(await verified(output)).toMatchObject({ differences: 0, unchecked: [expect.stringContaining("customer_id")] });
});

test("tables and columns of a configuration file", async () => {
  const config = join(folder, "config.yaml");
  const wishes = join(folder, "wishes.ndjson");
  writeFileSync(wishes, ndjson([{ user: 1, sku: 41, on: "2025-03-28" }]));
  writeFileSync(
    config,
    `history_length: 4\nshards: 2\ntables:\n  - { name: wishes, type: 4, customer: user, item: sku, time: at, date: on, path: ${wishes} }\n`,
  );
  const output = mkdtempSync(join(folder, "out-"));
  await buildTo(output, [...inputs, `--config=${config}`]);
  expect((await verified(output, ["--sample=all"])).findings).toEqual([]);
  forget(output);
  expect((await verified(output, [...inputs, `--config=${config}`, "--sample=all"])).findings).toEqual([]);
  const { counts } = await verified(output, [...inputs, "--history-length=4", "--sample=all"]);
  expect(Object.keys(counts)).toEqual(["wrong type", "unknown action"]);
});

test("a build whose cutoff is a microsecond late is found out, and so is one whose lookback is", async () => {
  const late = writeInputs(folder, {
    impressions: {
      "all.ndjson": ndjson([{ dt: "2025-08-16", ranking_id: "a", customer_id: 1, impressions: [{ item_id: 1, is_order: false }] }]),
    },
    clicks: {
      "all.ndjson": ndjson(
        ["2025-08-16 00:00:00", "2025-08-15 00:00:00", "2025-08-14 23:59:59.999999"].map((time, i) => ({
          customer_id: 1,
          item_id: i,
          click_time: time,
        })),
      ),
    },
  });
  const kinds = async (shift: number) => {
    const { midnight } = Calendar.prototype;
    const broken = jest.spyOn(Calendar.prototype, "midnight").mockImplementation(function (this: Calendar, day: number) {
      return midnight.call(this, day) + shift;
    });
    const output = mkdtempSync(join(folder, "out-"));
    await buildTo(output, [...late, "--lookback-days=1", "--dates=2025-08-16"]).finally(() => broken.mockRestore());
    return Object.keys((await verified(output, ["--sample=all"])).counts).filter((kind) => kind !== "wrong certificate");
  };
  expect(await kinds(0)).toEqual([]);
  expect(await kinds(1)).toEqual(expect.arrayContaining(["action of the same day"]));
  expect(await kinds(-1)).toEqual(expect.arrayContaining(["action before the lookback"]));
});

test("a file read in parts has the rows of one that is read at once", async () => {
  const output = mkdtempSync(join(folder, "out-"));
  await buildTo(output, [...inputs, "--row-group-bytes=1", "--columns=standard,+times"]);
  const path = join(output, partsOf(output)[0]);
  const columns = columnsByName(await footerOf(path));
  const rows = async (mostBytes?: number) => {
    const all: unknown[] = [];
    const taker = new Rows();
    for await (const batch of batchesOf(path, columns, 1000, mostBytes))
      taker.each(batch, (row, { items, types, times, fresh }) =>
        all.push([row, Array.from(items!), Array.from(types!), Array.from(times!), fresh]),
      );
    return all;
  };
  const found = await rows();
  expect(found.length).toBeGreaterThan(10);
  expect(await rows(0)).toEqual(found);
});

test("the hashes that place rows are those of the build, and midnights too", () => {
  for (const id of [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 32n + 5n]) {
    const [low, high] = [Number(BigInt.asIntN(32, id)), Number(BigInt.asIntN(32, id >> 32n))];
    expect(murmur3(0, low, high)).toBe(customerHash(low, high));
    expect(shardOf(id, 7)).toBe(customerHash(low, high) % 7);
  }
  for (const name of SLOW ? ["Europe/Berlin", "Africa/Cairo", "Atlantic/Azores", "Pacific/Apia", "America/Havana"] : ["Pacific/Apia"]) {
    const [zone, calendar] = [new Zone(name), new Calendar(name)];
    for (let day = 14_900; day < 15_700; day++) {
      expect([name, day, zone.midnight(day)]).toEqual([name, day, calendar.midnight(day)]);
      expect(zone.instant(day, 9e9)).toBe(calendar.instant(day * 86.4e9 + 9e9));
    }
  }
});

describe("the command", () => {
  const said: string[] = [];
  const complained: string[] = [];
  beforeEach(() => {
    said.length = complained.length = 0;
    jest.spyOn(console, "log").mockImplementation((line) => void said.push(String(line)));
    jest.spyOn(console, "error").mockImplementation((line) => void complained.push(String(line)));
  });
  afterEach(() => jest.restoreAllMocks());

  test("a day that nobody has built is refused; one that was built may have no rows", async () => {
    const output = mkdtempSync(join(folder, "out-"));
    await buildTo(output, inputs);
    expect(await main(["verify", output, "--dates=2024-01-01", "--sample=0"])).toBe(2);
    expect(complained.join("\n")).toMatch(/has no partition of 2024-01-01, and no run that was to build one\. Check --dates/);
    // without clicks and the like nobody has a history
    const none = ["clicks", "add-to-carts", "previous-orders"].map((table) => `--${table}=none`);
    await buildTo(output, [inputs[0], ...none, "--dates=2025-03-29", "--drop-empty-history"]);
    expect(await main(["verify", output, "--dates=2025-03-29", "--sample=0"])).toBe(0);
  });

  test("ends with 0 where nothing differs, with 4 and a report where something does", async () => {
    const output = mkdtempSync(join(folder, "out-"));
    await buildTo(output, inputs);
    expect(await main(["verify", output])).toBe(0);
    expect(said.join("\n")).toMatch(/recomputed of run .*: all 40 customers, 80 rows\n.*: no difference$/);
    rmSync(join(output, "dt=2025-03-29/_SUCCESS"));
    expect([await main(["verify", output]), await main(["verify", output, "--json"])]).toEqual([4, 4]);
    expect(said[1]).toContain("no _SUCCESS: 1\n  dt=2025-03-29: the partition has no _SUCCESS");
    expect(JSON.parse(said[2])).toMatchObject({ differences: expect.any(Number), counts: { "no _SUCCESS": 1 } });
    expect(complained[0]).toMatch(/differs from what it should be/);
  });

  // biome-ignore format: a table
  test.each([
    [[], /wants a path/], [["/nowhere"], /no output folder/], [[folder], /no partitions/], [["OUT", "--sample=x"], /number of customers or "all"/],
    [["OUT", "--impressions=/nowhere", "--clicks=none", "--add-to-carts=none", "--previous-orders=none"], /no file of impressions/],
    [["OUT", "--dates=2025-03-30..2025-03-29"], /wrong way round/], [["OUT", "--smaple=1"], /Did you mean --sample/], [["OUT", "--timezone=Mars"], /IANA/],
  ] as [string[], RegExp][])("ends with 2 for %j", async (args, message) => {
    const output = mkdtempSync(join(folder, "out-"));
    await buildTo(output, inputs);
    expect(await main(["verify", ...args.map((arg) => (arg === "OUT" ? output : arg))])).toBe(2);
    expect(complained[0]).toMatch(message);
  });
});
