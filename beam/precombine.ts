import { INPUT_BYTES } from "./limits";
import {
  CombinePerKeyPrecombineOperator,
  decodeFromBase64,
  encodeToBase64,
  NonPromise,
  PaneInfoCoder,
  type ProcessResult,
  registerOperator,
  type WindowedValue,
} from "./sdk";

/** A CombineFn whose accumulators are as large as what was added: before a shuffle they are handed on in time. */
export interface Weighed<A> {
  /** bytes of an accumulator, quickly and about */
  weigh(accumulator: A): number;
  /** the same in less bytes, where that is worth the time */
  compact(accumulator: A): A;
}

/** Bytes of all accumulators of a bundle together. */
const HELD_BYTES = 64 << 20;

/**
 * The SDK's combining before a shuffle holds on to 10,000 keys, however large, until the bundle ends. This one hands an accumulator on when with
 * one input more it could be too large for an element, and all of them when together they take too much memory.
 */
export class BoundedPrecombine extends CombinePerKeyPrecombineOperator<unknown, unknown, unknown> {
  private readonly weights = new Map<string, number>();
  private held = 0;

  override async startBundle(): Promise<void> {
    await super.startBundle();
    this.forget();
  }

  // biome-ignore lint/suspicious/noExplicitAny: the SDK's type
  override process(wvalue: WindowedValue<any>): ProcessResult {
    const added = super.process(wvalue);
    const combineFn = this.combineFn as Partial<Weighed<unknown>>;
    if (combineFn.weigh === undefined) return added;
    const full = wvalue.windows.map((window) => this.weigh(window, wvalue.value.key, combineFn as Weighed<unknown>));
    if (this.held > HELD_BYTES) {
      this.forget();
      full.push(this.flush(0));
    }
    const waits = [added, ...full].filter((each) => each !== NonPromise);
    return waits.length === 0 ? NonPromise : Promise.all(waits).then(() => undefined);
  }

  private weigh(window: WindowedValue<unknown>["windows"][0], key: unknown, combineFn: Weighed<unknown>): ProcessResult {
    const name = `${encodeToBase64(window, this.windowCoder)} ${encodeToBase64(key, this.keyCoder)}`;
    if (!this.groups.has(name)) return NonPromise; // handed on just now
    let weight = combineFn.weigh(this.groups.get(name));
    if (weight > INPUT_BYTES) {
      this.groups.set(name, combineFn.compact(this.groups.get(name)));
      weight = combineFn.weigh(this.groups.get(name));
    }
    const handOn = weight > INPUT_BYTES;
    this.held += (handOn ? 0 : weight) - (this.weights.get(name) ?? 0);
    if (!handOn) {
      this.weights.set(name, weight);
      return NonPromise;
    }
    this.weights.delete(name);
    return this.emit(name);
  }

  private emit(name: string): ProcessResult {
    const [window, key] = name.split(" ");
    const value = { key: decodeFromBase64(key, this.keyCoder), value: this.groups.get(name) };
    this.groups.delete(name);
    const windows = [decodeFromBase64(window, this.windowCoder)];
    return this.receiver.receive({ value, windows, timestamp: windows[0].maxTimestamp(), pane: PaneInfoCoder.ONE_AND_ONLY_FIRING });
  }

  private forget(): void {
    this.weights.clear();
    this.held = 0;
  }
}

registerOperator("beam:transform:combine_per_key_precombine:v1", BoundedPrecombine);
