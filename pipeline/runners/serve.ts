import { z } from "zod";
import { BuildOptions } from "../options";
import type { Tell } from "./tell";

/** All that `backstory worker-pool` can be told. */
export const WorkerPoolOptions = z.strictObject({
  port: z
    .union(
      [
        z.number(),
        z
          .string()
          .regex(/^[0-9]+$/)
          .transform(Number),
      ],
      "must be a port from 1 to 65535",
    )
    .pipe(z.number().int().min(1, "must be a port from 1 to 65535").max(65_535, "must be a port from 1 to 65535"))
    .describe("Port that runners ask for workers at.")
    .meta({ value: "PORT" }),
  host: z
    .string()
    .min(1, "must be an address")
    .default("localhost")
    .describe(
      "Address it listens at; 0.0.0.0 for other machines. Whoever reaches it can have this machine work: keep it within a network you trust.",
    )
    .meta({ value: "ADDRESS" }),
  threads: BuildOptions.shape.threads.unwrap().default(1).describe("Threads of each worker."),
  tempDir: BuildOptions.shape.tempDir,
  quiet: BuildOptions.shape.quiet,
});

/** Runs a worker pool until SIGINT or SIGTERM, which is how a service ends in order. */
export async function serveWorkers(options: z.infer<typeof WorkerPoolOptions>, debug: boolean): Promise<void> {
  const { port, host, threads, tempDir, quiet } = options;
  const { WorkerPool } = await import("./pool.js");
  const tell: Tell = (importance, text) => {
    if (!quiet && (debug || importance !== "debug")) console.error(text);
  };
  const settings = { threads, folder: tempDir ?? null };
  const pool = await new WorkerPool({ settings, ready: 0, tell, host, port }).listen();
  tell("info", `workers are to be had at ${pool.address}`);
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  await pool.close();
}
