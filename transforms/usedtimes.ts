import { TYPES } from "./typerows";

/** Of each day and type of the actions in histories: the times of the oldest and of the newest. Rows are in order of day, then type. */
export interface UsedTimes {
  /** epoch days */
  days: Int32Array;
  types: Uint8Array;
  /** whole microseconds, both included */
  oldest: Float64Array;
  newest: Float64Array;
}

/** One day: times by type code, and what an action must be older or newer than to matter. */
interface Day {
  oldest: Float64Array;
  newest: Float64Array;
  /** the newest of the oldest, over the types there are */
  high: number;
  /** the oldest of the newest */
  low: number;
}

/**
 * Looks at histories, which are newest first: at the front of one for as long as an action can be the newest of its type on that day, at
 * its back for as long as one can be the oldest. After a few histories that is an action or two, however long they are.
 */
export class UsedTimesBuilder {
  private readonly byDay = new Map<number, Day>();
  /** types that any action has */
  private readonly present: number[];

  constructor(types: Uint8Array) {
    const seen = new Uint8Array(TYPES);
    for (let i = 0; i < types.length; i++) seen[types[i]] = 1;
    this.present = Array.from(seen.keys()).filter((type) => seen[type] === 1);
  }

  /** The history [from, to) of columns that are newest first. */
  add(day: number, times: Float64Array, types: Uint8Array, from: number, to: number): void {
    const found = this.byDay.get(day) ?? this.begin(day);
    for (let i = from; i < to && times[i] > found.low; i++) this.seeNewest(found, types[i], times[i]);
    for (let i = to - 1; i >= from && times[i] < found.high; i--) this.seeOldest(found, types[i], times[i]);
  }

  take(): UsedTimes {
    const rows = [...this.byDay.keys()]
      .sort((a, b) => a - b)
      .flatMap((day) => this.present.filter((type) => this.byDay.get(day)!.newest[type] > -Infinity).map((type) => ({ day, type })));
    const times = (which: "oldest" | "newest") => Float64Array.from(rows, ({ day, type }) => this.byDay.get(day)![which][type]);
    return {
      days: Int32Array.from(rows, ({ day }) => day),
      types: Uint8Array.from(rows, ({ type }) => type),
      oldest: times("oldest"),
      newest: times("newest"),
    };
  }

  private begin(day: number): Day {
    const found: Day = {
      oldest: new Float64Array(TYPES).fill(Infinity),
      newest: new Float64Array(TYPES).fill(-Infinity),
      high: Infinity,
      low: -Infinity,
    };
    this.byDay.set(day, found);
    return found;
  }

  private seeNewest(day: Day, type: number, time: number): void {
    if (time <= day.newest[type]) return;
    day.newest[type] = time;
    day.low = Math.min(...this.present.map((each) => day.newest[each]));
  }

  private seeOldest(day: Day, type: number, time: number): void {
    if (time >= day.oldest[type]) return;
    day.oldest[type] = time;
    day.high = Math.max(...this.present.map((each) => day.oldest[each]));
  }
}
