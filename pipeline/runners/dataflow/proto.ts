// before any of its modules
import "../../../beam/sdk";
import { Pipeline } from "apache-beam/internal/pipeline";
import { Root as PipelineRoot } from "apache-beam/pvalue";
import { type Root, runnerApi } from "../../../beam/sdk";
import { backstory, type Plan } from "../../backstory";
import { placeOf } from "../environment";

/**
 * A worker of ours is one process for a machine, which uses all of its cores. Without this, Dataflow starts a container for each core: each would
 * hold the customers shown, and none could share the columns of a join.
 */
export const MULTI_CORE = "beam:protocol:multi_core_bundle_processing:v1";

/** The pipeline as it goes to Dataflow: as to any runner, with workers from an image. */
export function protoOf(plan: Plan, image: string): runnerApi.Pipeline {
  const pipeline = new Pipeline();
  const root: Root = new PipelineRoot(pipeline);
  root.apply(backstory(plan));
  const proto = pipeline.getProto();
  for (const environment of Object.values(proto.components!.environments)) {
    Object.assign(environment, placeOf({ kind: "docker", config: image }, undefined));
    environment.capabilities = [...environment.capabilities, MULTI_CORE];
  }
  return proto;
}

export const bytesOf = (proto: runnerApi.Pipeline): Uint8Array => runnerApi.Pipeline.toBinary(proto);
