import list from "./prices.json";

/** List prices of a region; null where it is not known here. */
export type Prices = Record<PriceName, number | null>;
export type PriceName = keyof typeof UNITS;

/** What each price is for; also the names in --prices, in kebab-case. */
export const UNITS = {
  vcpuHour: "vCPU-hour of a Dataflow batch worker",
  memoryGbHour: "GB-hour of its memory",
  diskGbHour: "GB-hour of its standard persistent disk",
  shuffleGb: "GB that Dataflow Shuffle processes",
  storageGbMonth: "GB-month in Cloud Storage, Standard",
  machineVcpuHour: "vCPU-hour of a machine of one's own",
  machineMemoryGbHour: "GB-hour of its memory",
} as const;

const NAMES = Object.keys(UNITS) as PriceName[];

export const PRICE_PAGES: Record<PriceName, string> = list.pages;
export const PRICE_DATE = list.date;
export const CURRENCY = list.currency;

/** Regions whose prices are here. */
export const REGIONS: readonly string[] = Object.keys(list.regions);

const kebab = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

export const PRICES_HINT = `a list such as vcpu-hour=0.056,shuffle-gb=0.011 of ${NAMES.map(kebab).join(", ")}`;

/** The prices in "vcpu-hour=0.056,shuffle-gb=0.011"; undefined if it is no such list. */
export function parsePrices(text: string): Partial<Record<PriceName, number>> | undefined {
  const prices: Partial<Record<PriceName, number>> = {};
  for (const part of text.split(",")) {
    const [, key, value] = /^\s*([a-z_-]+)=([0-9]+(?:\.[0-9]+)?)\s*$/.exec(part) ?? [];
    const name = NAMES.find((each) => kebab(each) === key?.replaceAll("_", "-"));
    if (name === undefined || Object.hasOwn(prices, name)) return undefined;
    prices[name] = Number(value);
  }
  return prices;
}

/** The list's prices of a region, none where it has none, under those that were given. */
export function pricesOf(region: string, given: Partial<Record<PriceName, number>> = {}): Prices {
  const known = (list.regions as Record<string, Prices>)[region];
  return Object.fromEntries(NAMES.map((name) => [name, given[name] ?? known?.[name] ?? null])) as Prices;
}

/** Prices that are wanted and not known, as --prices names them. */
export const unknownPrices = (prices: Prices): string[] => NAMES.filter((name) => prices[name] === null).map(kebab);
