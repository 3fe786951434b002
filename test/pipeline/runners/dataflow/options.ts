import { parseFlags } from "../../../../pipeline/flags";
import { BuildOptions } from "../../../../pipeline/options";

const REQUIRED = [
  "--impressions=gs://data/impressions",
  "--clicks=gs://data/clicks",
  "--add-to-carts=none",
  "--previous-orders=none",
  "--output=gs://data/training",
  "--runner=dataflow",
  "--project=p-12345",
  "--region=europe-west1",
  "--temp-location=gs://temp/flow",
  "--worker-image=registry/backstory:1",
];

/** Options of a job, with some more. */
export const optionsOf = (...flags: string[]): BuildOptions => parseFlags(BuildOptions, [...REQUIRED, ...flags], 0).options;
