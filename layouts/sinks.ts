/** What converting reads, to the files that a build writes. */
import { type DayFiles, dayFiles, type FileSettings, type Open } from "../pipeline/dayfiles";
import type { Layout, Padding } from "../pipeline/layout";
import { words } from "../transforms/ids";
import { type History, type Ranking, type Sink, Twins } from "./model";

export class FileSink implements Sink {
  private readonly files: DayFiles;
  private readonly withTimes: boolean;
  private readonly twins = new Twins((ranking, count) => this.write(ranking, count));

  constructor(layout: Layout, padding: Padding, settings: FileSettings, open: Open) {
    this.files = dayFiles(layout, padding, settings, open);
    this.withTimes = settings.columns.some(({ holds }) => holds === "action_times");
  }

  history({ customer, count, items, types, times }: History): void {
    this.twins.flush();
    const [customerLo, customerHi] = words(BigInt64Array.of(customer));
    // copies: the files look at them until the next history
    this.files.history({
      customerLo,
      customerHi,
      items: words(items.slice(0, count)),
      types: Uint8Array.from(types.subarray(0, count)),
      times: this.withTimes && times !== undefined ? Float64Array.from(times.subarray(0, count), Number) : undefined,
      from: 0,
      to: count,
    });
  }

  ranking(ranking: Ranking): void {
    this.twins.add(ranking);
  }

  private write({ id, items, orders }: Ranking, twins: number): void {
    const slots = { items: words(BigInt64Array.from(items)), orders: Uint8Array.from(orders), from: 0, to: items.length };
    this.files.ranking({ ids: id, idFrom: 0, idTo: id.length, ...slots }, twins);
  }

  /** @returns rows of each file, in the order in which they were opened */
  finish(): number[] {
    this.twins.flush();
    return this.files.finish().map(({ rows }) => rows);
  }
}
