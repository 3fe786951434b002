import { BoundedPrecombine, type Weighed } from "../../beam/precombine";
import { GlobalWindow, PaneInfoCoder, VarIntCoder, type WindowedValue } from "../../beam/sdk";

const MB = 1 << 20;

/** Sizes as given, summed up; `compact` halves those of key 7's inputs, which are odd. */
class Sizes implements Weighed<number[]> {
  createAccumulator = (): number[] => [];
  addInput = (sizes: number[], size: number): number[] => [...sizes, size];
  weigh = (sizes: number[]): number => sizes.reduce((sum, size) => sum + size, 0);
  compact = (sizes: number[]): number[] => (sizes[0] % 2 === 1 ? [1] : sizes);
}

/** What the operator hands on for these inputs, without a bundle's end, and at it. */
async function handedOn(combineFn: object, inputs: readonly [key: number, size: number][]) {
  const out: { key: number; value: number[] }[] = [];
  const operator = Object.assign(Object.create(BoundedPrecombine.prototype), {
    combineFn,
    keyCoder: new VarIntCoder(),
    windowCoder: { encode: () => {}, decode: () => new GlobalWindow() },
    maxKeys: 10_000,
    weights: new Map(),
    held: 0,
    receiver: {
      receive: ({ value }: WindowedValue<{ key: number; value: number[] }>) => {
        out.push(value);
        return null;
      },
    },
  }) as BoundedPrecombine;
  await operator.startBundle();
  const windows = [new GlobalWindow()];
  for (const [key, value] of inputs)
    await operator.process({
      value: { key, value },
      windows,
      pane: PaneInfoCoder.ONE_AND_ONLY_FIRING,
      timestamp: windows[0].maxTimestamp(),
    } as never);
  const early = out.length;
  await operator.finishBundle();
  return { early: out.slice(0, early), late: out.slice(early) };
}

test("an accumulator is handed on when one input more could make it larger than an element; the others at the end", async () => {
  const { early, late } = await handedOn(new Sizes(), [
    [1, 2 * MB - 2],
    [2, 4],
    [1, 4],
    [1, 6],
  ]);
  expect(early).toEqual([{ key: 1, value: [2 * MB - 2, 4] }]);
  expect(late).toEqual([
    { key: 2, value: [4] },
    { key: 1, value: [6] },
  ]);
});

test("one that becomes small when it is compacted stays", async () => {
  const { early, late } = await handedOn(new Sizes(), [
    [7, 2 * MB + 1],
    [7, 2],
  ]);
  expect([early, late]).toEqual([[], [{ key: 7, value: [1, 2] }]]);
});

test("all are handed on when together they are more than may be held, and the count begins anew", async () => {
  const inputs = Array.from({ length: 70 }, (_, key): [number, number] => [key, MB]);
  const { early, late } = await handedOn(new Sizes(), inputs);
  expect([early.length, late.length]).toEqual([65, 5]);
});

test("a CombineFn that does not tell weights is combined until the bundle ends", async () => {
  const { weigh: _, ...plain } = new Sizes();
  const { early, late } = await handedOn(plain, [
    [1, 100 * MB],
    [1, 100 * MB],
  ]);
  expect([early.length, late.length]).toEqual([0, 1]);
});
