import { useJobLimits } from "../../pipeline/bigquery/jobs";
import type { Limits } from "../../pipeline/gcs/limits";
import { service as buckets, type Service } from "../gcs/service";
import { FakeBigQuery } from "./server";

/** BigQuery and buckets for one test file. */
export interface Services {
  gcs: Service;
  bigQuery: FakeBigQuery;
  /** what the command has to know of where these are */
  env: Record<string, string>;
}

const QUICK = { retryDelay: 0.01, look: 0.01, longestLook: 0.05, cancel: 10 };

/** Starts both before all tests of a file; each test begins without faults, jobs or requests. */
export function services(limits: Partial<Limits> = {}): Services {
  const before = process.env.BIGQUERY_EMULATOR_HOST;
  const made = { gcs: buckets(limits), env: {} } as Services;
  let restore: () => void;
  beforeAll(async () => {
    const { fake, host } = await FakeBigQuery.start(made.gcs);
    made.bigQuery = fake;
    Object.assign(made.env, { BIGQUERY_EMULATOR_HOST: host, GOOGLE_CLOUD_PROJECT: "billing-project" });
    Object.assign(process.env, made.env);
    restore = useJobLimits(QUICK);
  });
  beforeEach(() => made.bigQuery.reset());
  afterAll(async () => {
    restore?.();
    if (before === undefined) delete process.env.BIGQUERY_EMULATOR_HOST;
    else process.env.BIGQUERY_EMULATOR_HOST = before;
    delete process.env.GOOGLE_CLOUD_PROJECT;
    await made.bigQuery?.close();
  });
  return made;
}
