import { credentials, Metadata } from "@grpc/grpc-js";
import type { ProvisionInfo } from "apache-beam/proto/beam_provision_api";
import { ConfigError } from "../errors";
import { settingsIn } from "./settings";

/**
 * The flags with which every runner of Beam starts a worker program or its container; or those with which the boot program of Beam's own image, which
 * has asked the runner already, starts the worker within it.
 */
export interface BootFlags {
  id: string;
  /** where to ask what to do; undefined where that is known */
  provision: string | undefined;
  control: string | undefined;
  logging: string | undefined;
  /** pipeline options, as JSON */
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
  if (!id || (!provision && !control))
    throw new ConfigError(
      "a worker wants --id, and --provision_endpoint or --control_endpoint. It is started by a runner of Beam: see --environment=process of backstory build.",
    );
  const given = (text: string | undefined) => text || undefined;
  return { id, provision: given(provision), control: given(control), logging: given(logging), options: given(options) };
}

/** Beam's boot program and worker in one: asks the runner where it has to work, and does. */
export async function boot(args: readonly string[]): Promise<void> {
  const { id, provision, control, logging, options } = bootFlags(args);
  const { work } = await import("./worker.js");
  const info = provision === undefined ? undefined : await provisionInfo(id, provision);
  const controlUrl = control ?? info?.controlEndpoint?.url;
  if (!controlUrl)
    throw new Error(`the runner at ${provision} does not say where its control service is. Start the worker with --control_endpoint.`);
  await sendLogs(id, logging ?? info?.loggingEndpoint?.url);
  await work({ id, controlUrl }, settingsIn(options === undefined ? await optionsOf(info) : JSON.parse(options)));
}

async function optionsOf(info: ProvisionInfo | undefined): Promise<Record<string, unknown>> {
  if (info?.pipelineOptions === undefined) return {};
  const { Struct } = await import("apache-beam/proto/google/protobuf/struct");
  return Struct.toJson(info.pipelineOptions) as Record<string, unknown>;
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
