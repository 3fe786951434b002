/** One stage of a run, in seconds. */
export interface StageTimes {
  /** from the start of the process to its first beginning */
  from: number;
  /** from its first beginning to its last end; stages overlap */
  seconds: number;
  /** its own work, over all threads; more than `seconds` where several worked at the same time */
  busySeconds: number;
}

/** Begin, end and work in milliseconds since the process began: the clock of performance.now, one and the same in all its threads. */
export interface Span {
  began: number;
  ended: number;
  busy: number;
}

/**
 * How long each stage of a run took, for people: nothing is computed from it, and it is no part of the data. Only this process is seen.
 *
 * Tasks that wait take turns in a thread. Of this thread each moment counts for the stage that was entered last among those that are
 * not left, hence once; what other threads do, they tell themselves.
 */
export class Stages {
  private readonly spans = new Map<string, Span>();
  /** entered and not left; the last one has this thread's time since `since` */
  private entered: string[] = [];
  private since = 0;

  clear(): void {
    this.spans.clear();
    this.entered = [];
  }

  /** Work of a stage in this thread. */
  async during<T>(stage: string, work: () => Promise<T>): Promise<T> {
    this.enter(stage);
    try {
      return await work();
    } finally {
      this.leave(stage);
    }
  }

  /** Work in this thread on which a task of the stage waits, but which is none of the stage's own. */
  async outside<T>(stage: string, work: () => T | Promise<T>): Promise<T> {
    this.leave(stage);
    try {
      return await work();
    } finally {
      this.enter(stage);
    }
  }

  /** Work of a stage in another thread. */
  add(stage: string, { began, ended, busy }: Span): void {
    const span = this.spans.get(stage);
    if (span === undefined) this.spans.set(stage, { began, ended, busy });
    else {
      span.began = Math.min(span.began, began);
      span.ended = Math.max(span.ended, ended);
      span.busy += busy;
    }
  }

  private enter(stage: string): void {
    this.countUntilNow();
    this.entered.push(stage);
  }

  private leave(stage: string): void {
    this.countUntilNow();
    const last = this.entered.lastIndexOf(stage);
    if (last >= 0) this.entered.splice(last, 1);
  }

  private countUntilNow(): void {
    const began = this.since;
    const ended = (this.since = performance.now());
    const stage = this.entered.at(-1);
    if (stage !== undefined) this.add(stage, { began, ended, busy: ended - began });
  }

  /** By name, in the order in which they began; with `start`, before any of them, and `end`, after all of them. */
  report(): Record<string, StageTimes> {
    const now = performance.now();
    const named = [...this.spans].sort(([, a], [, b]) => a.began - b.began);
    const first = named[0]?.[1].began ?? now;
    const last = Math.max(first, ...named.map(([, { ended }]) => ended));
    const all: [string, Span][] = [["start", between(0, first)], ...named, ["end", between(last, now)], ["total", between(0, now)]];
    return Object.fromEntries(all.map(([stage, span]) => [stage, inSeconds(span)]));
  }
}

const between = (began: number, ended: number): Span => ({ began, ended, busy: ended - began });

/** To the microsecond; what is finer is noise. */
function inSeconds({ began, ended, busy }: Span): StageTimes {
  const [from, seconds, busySeconds] = [began, ended - began, busy].map((ms) => Math.round(ms * 1000) / 1e6);
  return { from, seconds, busySeconds };
}

/** Of this process. */
export const stages = new Stages();
