/**
 * What a reader hands over for one column of one row, before anyone has judged it.
 *
 * - `undefined`: the row has no such column
 * - `number`: an integer within the safe range; any other number (1.5, `1.0` or `1e3` in a text file) arrives as a number that is no safe integer (a
 * text reader passes NaN, since JSON's `1.0` is not an integer for us)
 * - `bigint`: an integer of any size, exact
 * - `EpochDay`: a calendar day from a typed source (Parquet DATE)
 * - `Moment`: a point in time from a typed source (Parquet TIMESTAMP, INT96)
 */
export type Cell = undefined | null | boolean | number | bigint | string | Date | EpochDay | Moment | Cell[] | { [name: string]: Cell };

/** A calendar day. */
export class EpochDay {
  /** @param day whole days since 1970-01-01 */
  constructor(readonly day: number) {}
}

/** A point in time, exact to the microsecond. */
export class Moment {
  /**
   * @param micros whole microseconds since 1970-01-01T00:00:00; finer digits cut off (rounded down)
   * @param wall true when they count from a local midnight (Parquet's isAdjustedToUTC = false), so that the zone is the reader's to apply
   */
  constructor(
    readonly micros: bigint,
    readonly wall: boolean,
  ) {}
}
