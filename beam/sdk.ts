/**
 * The Beam SDK as this project uses it, in one place: its sub-modules import each other in circles, so that "apache-beam" itself
 * must be loaded before any of them.
 */
import "apache-beam";

export type { PCollection, Root } from "apache-beam";
export { create, flatten, P, parDo, withName } from "apache-beam";
export { type Coder, type Context, globalRegistry } from "apache-beam/coders/coders";
export { GeneralObjectCoder } from "apache-beam/coders/js_coders";
export { KVCoder, PaneInfoCoder } from "apache-beam/coders/required_coders";
export { VarIntCoder } from "apache-beam/coders/standard_coders";
export type { Pipeline, PipelineContext } from "apache-beam/internal/pipeline";
export { deserializeFn, serializeFn } from "apache-beam/internal/serialize";
export * as runnerApi from "apache-beam/proto/beam_runner_api";
export { directRunner } from "apache-beam/runners/direct_runner";
export { requireForSerialization } from "apache-beam/serialization";
export { combinePerKey, groupByKey, withCoderInternal } from "apache-beam/transforms/internal";
export { split } from "apache-beam/transforms/pardo";
export { GlobalWindow, type WindowedValue } from "apache-beam/values";
export {
  type IOperator,
  NonPromise,
  type OperatorContext,
  type ProcessResult,
  type Receiver,
  registerDoFnOperator,
} from "apache-beam/worker/operators";
