import { ColumnsCoder, withColumns } from "../beam/coders";
import { Value } from "../beam/elements";
import { combinePerKey, type PCollection, parDo, requireForSerialization, withName } from "../beam/sdk";
import { addLedger, type Ledger } from "./tablecounts";

export * from "./tablecounts";

/** The sum of ledgers. */
export class SumLedgers {
  createAccumulator(): Ledger {
    return {};
  }
  addInput(sum: Ledger, ledger: Ledger): Ledger {
    return addLedger(sum, ledger);
  }
  mergeAccumulators(sums: Iterable<Ledger>): Ledger {
    const merged = this.createAccumulator();
    for (const sum of sums) addLedger(merged, sum);
    return merged;
  }
  extractOutput(sum: Ledger): Ledger {
    return sum;
  }
  accumulatorCoder(): ColumnsCoder<Ledger> {
    return new ColumnsCoder();
  }
}

export class ToOneKey<T> {
  *process(value: T) {
    yield { key: 0, value };
  }
}

/** Everything under one key: for the few small elements that one worker gathers at the end. */
export function toOneKey<T>() {
  return withName("toOneKey", (input: PCollection<T>) =>
    input.apply(withName("key", parDo(new ToOneKey<T>()))).apply(withColumns<number, T>()),
  );
}

/** Adds up all ledgers to one. */
export function sumLedgers(ledgers: PCollection<Ledger>) {
  return ledgers
    .apply(toOneKey<Ledger>())
    .apply(combinePerKey(new SumLedgers()))
    .apply(withName("ledgerValue", parDo(new Value<Ledger>())));
}

requireForSerialization("backstory/transforms/ledger", exports);
