/**
 * The Beam SDK as this project uses it, in one place. Its sub-modules import each other in circles, so they are loaded in the
 * order in which "apache-beam" loads them; but not its io, which brings a client for Pub/Sub and takes longer to load than the rest.
 */
// before any of its modules
import "./patched";
import "apache-beam/pvalue";
import "apache-beam/transforms";

export { type Coder, type Context, globalRegistry } from "apache-beam/coders/coders";
export { GeneralObjectCoder } from "apache-beam/coders/js_coders";
export { KVCoder, PaneInfoCoder } from "apache-beam/coders/required_coders";
export { VarIntCoder } from "apache-beam/coders/standard_coders";
export type { Pipeline, PipelineContext } from "apache-beam/internal/pipeline";
export { deserializeFn, serializeFn } from "apache-beam/internal/serialize";
export * as runnerApi from "apache-beam/proto/beam_runner_api";
export { P, type PCollection, type Root } from "apache-beam/pvalue";
export { directRunner } from "apache-beam/runners/direct_runner";
export { requireForSerialization } from "apache-beam/serialization";
export { create, flatten, parDo, withName } from "apache-beam/transforms";
export { combinePerKey, groupByKey, withCoderInternal } from "apache-beam/transforms/internal";
export { split } from "apache-beam/transforms/pardo";
export { GlobalWindow, type WindowedValue } from "apache-beam/values";
export {
  CombinePerKeyPrecombineOperator,
  decodeFromBase64,
  encodeToBase64,
  type IOperator,
  NonPromise,
  type OperatorContext,
  type ProcessResult,
  type Receiver,
  registerDoFnOperator,
  registerOperator,
} from "apache-beam/worker/operators";
