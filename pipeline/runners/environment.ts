import { arch, platform } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { runnerApi } from "../../beam/sdk";
import type { EnvironmentChoice } from "./choice";

/** What of an environment a runner must know to get workers. */
export type Place = Pick<runnerApi.Environment, "urn" | "payload">;

/** The folder of this package, whether its modules are compiled or not. */
export const packageFolder = (): string => dirname(require.resolve("backstory/package.json"));
/** The worker's program, with Beam's boot flags. */
export const workerProgram = (): string => join(packageFolder(), "bin", "backstory-worker.js");

/** @param pool address of our own worker pool, for EXTERNAL without one given */
export function placeOf({ kind, config }: EnvironmentChoice, pool: string | undefined): Place {
  switch (kind) {
    case "external":
      return {
        urn: "beam:env:external:v1",
        payload: runnerApi.ExternalPayload.toBinary({ endpoint: runnerApiEndpoint(config ?? pool!), params: {} }),
      };
    case "process":
      return { urn: "beam:env:process:v1", payload: runnerApi.ProcessPayload.toBinary(processOf(config)) };
    case "docker":
      return { urn: "beam:env:docker:v1", payload: runnerApi.DockerPayload.toBinary({ containerImage: config! }) };
  }
}

const runnerApiEndpoint = (url: string) => ({ url });

/** Our own program is started by the Node that runs this. */
function processOf(command: string | undefined): runnerApi.ProcessPayload {
  const PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}`;
  const env: Record<string, string> = command === undefined ? { PATH } : {};
  return { os: platform(), arch: arch(), command: command ?? workerProgram(), env };
}
