import { credentials, Metadata } from "@grpc/grpc-js";
import type { ProvisionInfo } from "apache-beam/proto/beam_provision_api";
import { ConfigError } from "../errors";
import { settingsIn } from "./settings";

/** The flags with which a runner of Beam starts a worker program, or Beam's boot program, in an image, its worker. */
export interface BootFlags {
  id: string;
  /** the runner's service that says all else; boot has asked it already, and does not hand it on */
  provision: string | undefined;
  control: string | undefined;
  logging: string | undefined;
  /** the pipeline options as JSON, from boot alone */
  options: string | undefined;
}

const PROVISION_LIMIT_MS = 60_000;

/** @throws ConfigError without the flags that are needed; those that are not known are passed over, since runners have more */
export function bootFlags(args: readonly string[]): BootFlags {
  const flags: Record<string, string> = {};
  for (const [i, arg] of args.entries()) {
    const match = /^--?([a-z_]+)(?:=(.*))?$/s.exec(arg);
    // Prism puts the id in quotes, as for a shell, though there is none.
    if (match !== null) flags[match[1]] = (match[2] ?? args[i + 1] ?? "").replace(/^'(.*)'$/, "$1");
  }
  const { id, provision_endpoint: provision, control_endpoint: control, logging_endpoint: logging, options } = flags;
  if (!id || !(provision || (control && options)))
    throw new ConfigError(
      "a worker wants --id and --provision_endpoint, or --id, --control_endpoint and --options. It is started by a runner of Beam: see --environment=process of backstory build.",
    );
  return {
    id,
    provision: provision || undefined,
    control: control || undefined,
    logging: logging || undefined,
    options: options || undefined,
  };
}

/** What a worker has to know of its job. */
interface Task {
  controlUrl: string;
  loggingUrl: string | undefined;
  /** of the pipeline, as the runner hands them on */
  options: Record<string, unknown>;
}

/** Works where the flags say, or the runner if it has to be asked: then this is Beam's boot program and worker in one. */
export async function boot(args: readonly string[]): Promise<void> {
  const flags = bootFlags(args);
  const { work } = await import("./worker.js");
  const { controlUrl, loggingUrl, options } = flags.provision === undefined ? taskOf(flags) : await askedFor(flags, flags.provision);
  await sendLogs(flags.id, loggingUrl);
  await work({ id: flags.id, controlUrl }, settingsIn(options));
}

/** As boot tells it. */
function taskOf({ control, logging, options }: BootFlags): Task {
  try {
    return { controlUrl: control!, loggingUrl: logging, options: JSON.parse(options!) as Record<string, unknown> };
  } catch {
    throw new ConfigError("--options must be the pipeline options as JSON, as Beam's boot program gives them.");
  }
}

async function askedFor({ id, control, logging }: BootFlags, provision: string): Promise<Task> {
  const info = await provisionInfo(id, provision);
  const controlUrl = control ?? info.controlEndpoint?.url;
  if (!controlUrl)
    throw new Error(`the runner at ${provision} does not say where its control service is. Start the worker with --control_endpoint.`);
  const { Struct } = await import("apache-beam/proto/google/protobuf/struct");
  const options = info.pipelineOptions === undefined ? {} : Struct.toJson(info.pipelineOptions);
  return { controlUrl, loggingUrl: logging ?? info.loggingEndpoint?.url, options: options as Record<string, unknown> };
}

async function provisionInfo(id: string, url: string): Promise<ProvisionInfo> {
  const { ProvisionServiceClient } = await import("apache-beam/proto/beam_provision_api.grpc-client");
  const client = new ProvisionServiceClient(url, credentials.createInsecure(), {}, {});
  const metadata = new Metadata();
  metadata.add("worker_id", id);
  try {
    return await new Promise((resolve, reject) => {
      const deadline = Date.now() + PROVISION_LIMIT_MS;
      client.getProvisionInfo({}, metadata, { deadline }, (error, response) => {
        if (error !== null) reject(new Error(`the runner at ${url} does not say what to do: ${error.details}`));
        else resolve(response!.info!);
      });
    });
  } finally {
    client.close();
  }
}

/** What the worker prints goes to the runner's log. */
async function sendLogs(id: string, url: string | undefined): Promise<void> {
  if (!url) return;
  const { createLoggingChannel } = await import("apache-beam/worker/logging");
  // Not awaited: it goes on for as long as the runner is there.
  void createLoggingChannel(id, url)();
}
