import { NEVER, type Window } from "./bounds";

/**
 * window.last() for many times. The last day is the same for all times from the start of its lookback up to any time that
 * has it, so times that lie close together, or come newest first, are answered without asking again.
 */
export class Lasts {
  private last = -NEVER;
  private from = Infinity;
  private to = -Infinity;

  constructor(private readonly window: Window) {}

  of(time: number): number {
    if (time >= this.from && time <= this.to) return this.last;
    const last = this.window.last(time);
    if (last !== this.last || this.from === Infinity) {
      this.last = last;
      this.from = last === -NEVER ? -Infinity : this.window.start(last);
      this.to = time;
    } else this.to = Math.max(this.to, time);
    return last;
  }
}
