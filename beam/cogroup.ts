import { withColumns } from "./coders";
import { flatten, groupByKey, P, type PCollection, parDo, requireForSerialization, withName } from "./sdk";

/** An element of a keyed PCollection. */
export interface KV<V> {
  /** a bucket of customers, a shard, or 0 where all go to one place */
  key: number;
  /** what belongs to it */
  value: V;
}

/** What CoGroupByKey gives for one key: all values of each input. */
export interface CoGrouped<L, R> {
  /** values of the first input, in any order */
  left: L[];
  /** values of the second */
  right: R[];
}

/** A value and the input it is from. */
type Tagged<L, R> = { left: L } | { right: R };

export class TagLeft<L> {
  *process({ key, value }: KV<L>) {
    yield { key, value: { left: value } };
  }
}

export class TagRight<R> {
  *process({ key, value }: KV<R>) {
    yield { key, value: { right: value } };
  }
}

export class Untag<L, R> {
  *process({ key, value }: { key: number; value: Iterable<Tagged<L, R>> }) {
    const grouped: CoGrouped<L, R> = { left: [], right: [] };
    for (const tagged of value) {
      if ("left" in tagged) grouped.left.push(tagged.left);
      else grouped.right.push(tagged.right);
    }
    yield { key, value: grouped };
  }
}

/**
 * CoGroupByKey: a tagged union, flattened and grouped. The SDK's own coGroupBy sends every element through its general
 * coder, which cannot carry typed arrays.
 *   in   left, right   (key, value)
 *   out  (key, CoGrouped)   one for each key of either
 */
export function coGroupByKey<L, R>() {
  return withName(
    "coGroupByKey",
    ({ left, right }: { left: PCollection<KV<L>>; right: PCollection<KV<R>> }): PCollection<KV<CoGrouped<L, R>>> =>
      P([
        left.apply(withName("tagLeft", parDo(new TagLeft<L>()))).apply(withColumns<number, Tagged<L, R>>()),
        right.apply(withName("tagRight", parDo(new TagRight<R>()))).apply(withName("withColumnsToo", withColumns<number, Tagged<L, R>>())),
      ])
        .apply(flatten())
        .apply(groupByKey())
        .apply(withName("untag", parDo(new Untag<L, R>()))),
  );
}

requireForSerialization("backstory/beam/cogroup", exports);
