/** What words of the figures mean: names that the code has as constants, each with a sentence. */
import type { LateKind } from "../../transforms/lateness";
import type { Place } from "../../transforms/tablecounts";

export const PLACE_MEANINGS: Record<Place, string> = {
  rejected: "not taken; the reasons are told beside it",
  "outside the dates": "rankings of days that were not wanted",
  "customer never shown": "actions of customers without any ranking in the run",
  "outside every window": "actions that no dt of the customer can see: before its lookback, or from its cutoff on",
  "beyond the history length": "actions that are older than the newest `--history-length` for each dt that can see them",
  "without history": "rankings that `--drop-empty-history` leaves out, since their customer has no action then",
  used: "actions in at least one history; rankings with rows in the output",
};

export const LATE_MEANINGS: Record<LateKind, string> = {
  "after the last cutoff":
    "at or after the newest dt's cutoff, on that dt itself, by the day of the time. No fault, and not warned of: every export of a day ends after the day's cutoff",
  "after the last dt": "from after the newest dt, by the day of the time",
  "time of another day": "the day of its time is another than its `dt`, or than the date of an order, by that `dt` or date",
  "beyond the order lag": "an order whose timestamp is more days after its date than `--order-lag-days`, by its date",
};
