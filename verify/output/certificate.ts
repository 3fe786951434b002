/** Whether the leak certificate of a dt says what is so. */
import { type Certificate, instantOf, microsOf } from "../../pipeline/manifest";
import type { Findings } from "../findings";
import { ORDER, type Rules } from "../rules";
import { FIRST_DAY, nameOf, type Zone } from "../zone";

/** What was seen of the rows of a dt. */
export class Seen {
  rows = 0;
  /** undefined where the files do not tell */
  zeroHistoryRows: number | undefined = 0;
  customers: number | undefined = 0;
  private last: bigint | undefined;

  /** A customer's rows are in one file, one after another. */
  take(customer: bigint | undefined, real: number | undefined, isFirst: boolean): void {
    this.rows++;
    if (real === undefined) this.zeroHistoryRows = undefined;
    else if (this.zeroHistoryRows !== undefined && real === 0) this.zeroHistoryRows++;
    if (customer === undefined) this.customers = undefined;
    else if (this.customers !== undefined && (isFirst || customer !== this.last)) this.customers++;
    this.last = customer;
  }
}

type Used = Map<number, [oldest: number, newest: number]>;

/** @param used times of the actions recomputed, by type; `all`: of all histories of the dt */
export function checkCertificate(
  certificate: Certificate,
  day: number,
  rules: Rules,
  zone: Zone,
  seen: Seen,
  used: { times: Used; all: boolean } | null,
  findings: Findings,
): void {
  const dt = nameOf(day);
  const wrong = (what: string, found: unknown, expected: unknown) =>
    findings.add("wrong certificate", `${what} is ${found}, expected ${expected}`, { dt });
  const same = (what: string, found: unknown, expected: unknown) => {
    if (expected !== undefined && found !== expected) wrong(what, found, expected);
  };
  const bounds = boundsOf(day, rules, zone);
  same("cutoff", certificate.cutoff, bounds.cutoff);
  same("orderCutoff", certificate.orderCutoff, bounds.orderCutoff);
  same("lookbackStart", certificate.lookbackStart, bounds.lookbackStart);
  same("timezone", certificate.timezone, rules.timezone);
  same("actionClock", certificate.actionClock, rules.actionClock);
  same("orderTime", certificate.orderTime, rules.orderTime);
  same("orderLagDays", certificate.orderLagDays, rules.orderLagDays);
  same("rows", certificate.rows, seen.rows);
  same("zeroHistoryRows", certificate.zeroHistoryRows, seen.zeroHistoryRows);
  same("customers", certificate.customers, seen.customers);
  for (const [type, { oldest, newest }] of Object.entries(certificate.used)) {
    const cutoff = Number(type) === ORDER ? certificate.orderCutoff : certificate.cutoff;
    if (rules.actionClock !== "dt" && newest >= cutoff) wrong(`the newest action of type ${type}`, newest, `before ${cutoff}`);
    if (certificate.lookbackStart !== null && oldest < certificate.lookbackStart)
      wrong(`the oldest action of type ${type}`, oldest, `at or after ${certificate.lookbackStart}`);
  }
  if (used !== null) compareUsed(certificate, used.times, used.all, wrong);
}

function compareUsed(
  { used }: Certificate,
  times: Used,
  all: boolean,
  wrong: (what: string, found: unknown, expected: unknown) => void,
): void {
  const types = new Set([...times.keys(), ...(all ? Object.keys(used).map(Number) : [])]);
  for (const type of types) {
    const range = times.get(type);
    const { oldest, newest } = used[type] ?? {};
    if (range === undefined) wrong(`the oldest action of type ${type}`, oldest, "none");
    else if (oldest === undefined || microsOf(oldest) > range[0] || (all && microsOf(oldest) < range[0]))
      wrong(`the oldest action of type ${type}`, oldest, instantOf(range[0]));
    else if (microsOf(newest!) < range[1] || (all && microsOf(newest!) > range[1]))
      wrong(`the newest action of type ${type}`, newest, instantOf(range[1]));
  }
}

/** Days before 1700 have no name in a manifest: undefined. */
function boundsOf(day: number, { orderLagDays, lookbackDays }: Rules, zone: Zone) {
  const name = (at: number) => (at < FIRST_DAY ? undefined : instantOf(zone.midnight(at)));
  return {
    cutoff: name(day),
    orderCutoff: name(day - orderLagDays),
    lookbackStart: lookbackDays === null ? null : name(day - lookbackDays),
  };
}
