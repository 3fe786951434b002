/** A small workload of what jobs trip over: ties, duplicates, midnights, ends of the lookback, a clock change, late rows, zones. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Around the change to summer time in Berlin, of a leap year: 365 days are not a year. */
export const ZONE = "Europe/Berlin";
const DTS = ["2024-03-30", "2024-03-31", "2024-04-01", "2024-04-02"];
const CUSTOMERS = 24;
const ITEMS = 400;
/** Has more actions than a history. */
const HOT = 3;
/** Never acts. */
const IDLE = [7, 15];

const EDGES = [0, 1].flatMap((more) =>
  DTS.flatMap((dt) => [
    dayAfter(dt, more - 1),
    ...[365, 366, 90].map((days) => dayAfter(dt, more - days)), // about the start of a lookback
  ]),
);

/** @param instants whether every time says that it is UTC */
export function writeWorkload(folder: string, instants = false): void {
  const random = generator(20240331);
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(all: readonly T[]): T => all[below(all.length)];
  const customer = () => {
    const c = below(CUSTOMERS);
    return IDLE.includes(c) ? c + 1 : c;
  };
  // most times say that they are UTC; of those that do not, a clock change skips one
  const time = (day: string): string => {
    const kind = below(24);
    if (instants && kind < 3) return `${day}T12:00:00Z`;
    if (kind === 0) return `${day} 00:00:00`;
    if (kind === 1) return `${day} 23:59:59.999999`;
    if (kind === 2) return `${day}T0${below(4)}:30:00`;
    if (EDGES.includes(day) && kind % 2 === 0) return `${day}T${22 + below(2)}:15:00Z`;
    return `${day} ${String(6 + below(15)).padStart(2, "0")}:${below(4)}0:00Z`;
  };
  const day = () => (below(3) === 0 ? pick(EDGES) : dayAfter(DTS[3], -below(400)));
  const late = (day: string) => (below(6) === 0 ? dayAfter(day, 1 + below(2)) : day);
  const event = (c: number) => ({ c, day: day(), item: below(ITEMS) });
  const actions = [...Array.from({ length: 2400 }, () => event(customer())), ...Array.from({ length: 1500 }, () => event(HOT))];
  const clicks = actions
    .slice(0)
    .filter((_, i) => i % 4 !== 0)
    .map(({ c, day, item }) => ({ dt: late(day), customer_id: c, item_id: item, click_time: time(day) }));
  const carts = actions
    .filter((_, i) => i % 8 === 0)
    .map(({ c, day, item }) => ({ dt: late(day), customer_id: c, config_id: item, simple_id: item, occurred_at: time(day) }));
  const orders = actions
    .filter((_, i) => i % 8 === 4)
    .map(({ c, day, item }) => ({ order_date: day, customer_id: c, config_id: item, simple_id: item, occurred_at: time(day) }));
  // the same second, the same item, and the same row twice
  for (let i = 0; i < 60; i++) {
    const click = pick(clicks);
    clicks.push({ ...click, item_id: below(ITEMS) }, click);
    carts.push({ dt: click.dt, customer_id: click.customer_id, config_id: below(ITEMS), simple_id: 1, occurred_at: click.click_time });
  }
  const impressions = Array.from({ length: 90 }, (_, i) => ({
    dt: pick(DTS),
    ranking_id: `r${i}`,
    customer_id: below(CUSTOMERS),
    impressions: Array.from({ length: 1 + below(6) }, () => ({ item_id: below(ITEMS), is_order: below(5) === 0 })),
  }));
  impressions.push(
    impressions[0],
    { ...impressions[1], customer_id: HOT },
    { ...impressions[2], ranking_id: "idle", customer_id: IDLE[0] },
  );
  mkdirSync(folder, { recursive: true });
  for (const [name, rows] of Object.entries({ impressions, clicks, add_to_carts: carts, previous_orders: orders }))
    writeFileSync(join(folder, `${name}.ndjson`), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
}

function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** Numbers from 0 to 1, the same each time: mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
