import type { AsyncDoFn } from "../beam/async";
import { requireForSerialization } from "../beam/sdk";
import { stages } from "../beam/stages";
import type { Report } from "./gathered";
import type { Outcome } from "./outcome";
import { type PublishOptions, publish } from "./publishrun";

export type { Report } from "./gathered";
export type { Outcome } from "./outcome";
export type { PublishOptions } from "./publishrun";

/**
 * The last step: checks the ledger and the limits, then moves this run's files to where readers look. It publishes what it was
 * told of and nothing else, so that what a repeated or lost attempt left lying about is never seen. It may itself run twice.
 */
export class Publish implements AsyncDoFn<{ key: number; value: Iterable<Report> }, Outcome> {
  constructor(readonly options: PublishOptions) {}

  process({ value }: { key: number; value: Iterable<Report> }, emit: (outcome: Outcome) => Promise<void>): Promise<void> {
    return stages.during("publish", async () => emit(await publish(value, this.options)));
  }
}

requireForSerialization("backstory/pipeline/publish", exports);
