import type { RankingSink, ScannedRankings, ScanOptions } from "./columns";
import { Role } from "./literals";
import { dayAt, NO_DAY } from "./times";
import { Wanted } from "./wanted";

/** The way of a ranking into the batch: it is written behind the last one, `commit` makes it one. */
export class RankingRows extends Wanted {
  readonly out: ScannedRankings;
  /** where the row's slots and the bytes of its id end so far */
  private slots = 0;
  private idEnd = 0;

  constructor(
    options: ScanOptions,
    private readonly sink: RankingSink,
  ) {
    super();
    this.out = sink.out;
    this.add("ranking_id", Role.rankingId);
    this.add("impressions", Role.slots);
    this.add("dt", Role.date);
    this.add("customer_id", Role.customer);
    this.supply(options.partition ?? {});
  }

  /** Reads the date into the row. @returns the position behind it, -1 if there is none */
  day(view: DataView, at: number): number {
    const day = dayAt(view, at);
    this.out.days[this.out.length] = day;
    return day === NO_DAY ? -1 : at + 10;
  }

  protected override putDay(day: number) {
    this.out.days[this.out.length] = day;
  }

  protected override dayOf(): number {
    return this.out.days[this.out.length];
  }

  /** Takes bytes [start, end) as the ranking's id, which is not empty. */
  id(bytes: Uint8Array, start: number, end: number): boolean {
    const { out } = this;
    let to = out.idStarts[out.length];
    if (to + end - start > out.idBytes.length) out.growIds(to + end - start);
    for (let at = start; at < end; at++) out.idBytes[to++] = bytes[at];
    this.idEnd = to;
    return end > start;
  }

  /** The slots of a ranking begin. @returns the number of the first */
  firstSlot(): number {
    const { out } = this;
    this.slots = out.slotStarts[out.length];
    if (this.slots === out.slotOrders.length) out.growSlots();
    return this.slots;
  }

  /** Its last slot is complete. @returns the number of the next one */
  nextSlot(): number {
    if (++this.slots === this.out.slotOrders.length) this.out.growSlots();
    return this.slots;
  }

  /** Makes what was written a row, if the roles `seen`, as bits, are all there are to be. */
  commit(seen: number): boolean {
    if (seen !== this.ownBits && !this.folderAgrees(seen)) return false;
    const { out } = this;
    const row = ++out.length;
    out.idStarts[row] = this.idEnd;
    out.slotStarts[row] = this.slots;
    if (row === out.capacity) this.finish();
    return true;
  }

  finish() {
    if (this.out.length > 0) this.sink.flush();
    this.out.length = 0;
  }
}
