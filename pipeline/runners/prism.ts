import type { JobService } from "./services";

export async function startPrism(_options: { folder: string }): Promise<JobService> {
  throw new Error("Prism cannot be started here yet. Give --job-endpoint.");
}
