/** What a run proves of each dt: that no history knows what came after it. */
import { Calendar } from "../transforms/calendar";
import type { DayCounts } from "../transforms/metrics";
import { ORDER, type Rules } from "../transforms/rules";
import { date } from "../transforms/values";
import { type Certificate, instantOf, microsOf } from "./manifest";
import { tzVersion } from "./version";

/** The rules that a history's window follows from. */
export type WindowRules = Pick<Rules, "timezone" | "lookbackDays" | "orderLagDays" | "orderTime" | "actionClock">;

export const windowRules = ({ timezone, lookbackDays, orderLagDays, orderTime, actionClock }: Rules): WindowRules => ({
  timezone,
  lookbackDays,
  orderLagDays,
  orderTime,
  actionClock,
});

export function certify(
  dt: string,
  { timezone, lookbackDays, orderLagDays, orderTime, actionClock }: WindowRules,
  counts: DayCounts,
): Certificate {
  const calendar = new Calendar(timezone);
  const day = date(dt);
  const midnight = (minus: number) => instantOf(calendar.midnight(Math.max(EARLIEST_DAY, day - minus)));
  return {
    cutoff: midnight(0),
    orderCutoff: midnight(orderLagDays),
    lookbackStart: lookbackDays === null ? null : midnight(lookbackDays),
    timezone,
    tz: tzVersion(),
    actionClock,
    orderTime,
    orderLagDays,
    used: Object.fromEntries(
      Object.entries(counts.used).map(([type, { oldest, newest }]) => [type, { oldest: instantOf(oldest), newest: instantOf(newest) }]),
    ),
    rows: counts.rows,
    zeroHistoryRows: counts.emptyRows,
    customers: counts.customers,
  };
}

/** Before all that an action can be of, so that a lookback of a million days has a name too. */
const EARLIEST_DAY = Date.UTC(1600, 0, 1) / 86_400_000;

/** What a certificate itself says against its dt, as text; nothing if all is well. */
export function leaksOf(dt: string, certificate: Certificate): string[] {
  const { cutoff, orderCutoff, lookbackStart, actionClock, used } = certificate;
  return Object.entries(used).flatMap(([type, { oldest, newest }]) => {
    const end = Number(type) === ORDER ? orderCutoff : cutoff;
    const late = actionClock !== "dt" && microsOf(newest) >= microsOf(end);
    const early = lookbackStart !== null && microsOf(oldest) < microsOf(lookbackStart);
    return [
      ...(late ? [`dt=${dt} uses an action of type ${type} from ${newest}, the cutoff is ${end}`] : []),
      ...(early ? [`dt=${dt} uses an action of type ${type} from ${oldest}, the lookback starts at ${lookbackStart}`] : []),
    ];
  });
}
