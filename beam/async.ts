import {
  type Coder,
  deserializeFn,
  GeneralObjectCoder,
  type IOperator,
  NonPromise,
  type OperatorContext,
  type PCollection,
  type Pipeline,
  type ProcessResult,
  parDo,
  type Receiver,
  registerDoFnOperator,
  requireForSerialization,
  runnerApi,
  serializeFn,
  type WindowedValue,
  withName,
} from "./sdk";
import { threads } from "./threads";

/** A DoFn that waits: for files, for a network, for threads. It emits as it goes; awaiting emit is what bounds memory. */
export interface AsyncDoFn<In, Out> {
  process(element: In, emit: (output: Out) => Promise<void>): Promise<void>;
}

const URN = "backstory:dofn:async_js:v1";

/**
 * ParDo for a DoFn that waits, with as many elements at a time as keep all threads busy. The SDK's own ParDo is synchronous; for a runner
 * this is a ParDo like any other, only its DoFn has a urn of its own.
 */
export function asyncParDo<In, Out>(doFn: AsyncDoFn<In, Out>, coder: Coder<Out> = new GeneralObjectCoder()) {
  function asyncParDo(_input: PCollection<In>, pipeline: Pipeline, transform: runnerApi.PTransform): PCollection<Out> {
    const payload = serializeFn({ doFn });
    transform.spec = runnerApi.FunctionSpec.create({
      urn: parDo.urn,
      payload: runnerApi.ParDoPayload.toBinary(
        runnerApi.ParDoPayload.create({ doFn: runnerApi.FunctionSpec.create({ urn: URN, payload }) }),
      ),
    });
    return pipeline.createPCollectionInternal(coder);
  }
  return withName("asyncParDo", asyncParDo);
}

/** Runs the DoFn. It keeps its promises itself and awaits them all in finishBundle, since not every caller awaits process. */
export class AsyncOperator implements IOperator {
  /** what becomes of an error; a worker of a runner packs it up, since only its text gets out */
  static failed: (error: unknown) => unknown = (error) => error;

  private readonly running = new Set<Promise<void>>();
  private failure: { error: unknown } | undefined;

  constructor(
    readonly transformId: string,
    private readonly receiver: Receiver,
    private readonly doFn: AsyncDoFn<unknown, unknown>,
    /** one element more than there are threads, so that none waits for its next */
    private readonly concurrency = threads().count + 1,
  ) {}

  async startBundle(): Promise<void> {
    this.failure = undefined;
  }

  process(element: WindowedValue<unknown>): ProcessResult {
    const task = this.run(element).catch((error) => {
      this.failure ??= { error };
    });
    const tracked = task.finally(() => this.running.delete(tracked));
    this.running.add(tracked);
    return this.running.size < this.concurrency ? NonPromise : this.room();
  }

  async finishBundle(): Promise<void> {
    await Promise.all(this.running);
    if (this.failure !== undefined) throw AsyncOperator.failed(this.failure.error);
  }

  private async room(): Promise<void> {
    while (this.running.size >= this.concurrency) await Promise.race(this.running);
  }

  private async run({ value, windows, pane, timestamp }: WindowedValue<unknown>): Promise<void> {
    // After a failure the bundle is lost: what is still to come need not be done.
    if (this.failure !== undefined) return;
    await this.doFn.process(value, async (output) => {
      const received = this.receiver.receive({ value: output, windows, pane, timestamp });
      if (received !== NonPromise) await received;
    });
  }
}

registerDoFnOperator(
  URN,
  (transformId: string, transform: runnerApi.PTransform, context: OperatorContext, spec: runnerApi.ParDoPayload) => {
    const { doFn } = deserializeFn(spec.doFn!.payload);
    return new AsyncOperator(transformId, context.getReceiver(Object.values(transform.outputs)[0]), doFn);
  },
);

requireForSerialization("backstory/beam/async", exports);
