import type { JobService } from "./services";

export async function startFlink(_options: { folder: string; parallelism: number; memory: number }): Promise<JobService> {
  throw new Error("Flink cannot be started here yet. Give --job-endpoint.");
}
