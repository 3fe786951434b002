import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Storage } from "@google-cloud/storage";
import { type Limits, useLimits } from "../../pipeline/gcs/limits";
import { startService } from "../../pipeline/runners/services";
import { FaultyProxy } from "./proxy";

interface Started {
  host: string;
  port: number;
  stop(): Promise<void>;
}
const { freePort, startStorage } = require("./server") as {
  freePort(): Promise<number>;
  startStorage(start: typeof startService, folder: string, front: string): Promise<Started>;
};

/** Cloud Storage for one test file: fake-gcs-server with nothing in it, behind a proxy. */
export interface Service {
  proxy: FaultyProxy;
  /** where the proxy is, as STORAGE_EMULATOR_HOST has it */
  host: string;
  createBucket(bucket: string): Promise<void>;
  put(uri: string, content: string | Uint8Array, metadata?: { contentEncoding?: string }): Promise<void>;
  get(uri: string): Promise<Buffer>;
  remove(uri: string): Promise<void>;
  /** names of all objects of a bucket, or of those that begin so, in order */
  names(bucket: string, prefix?: string): Promise<string[]>;
}

/** For tests of what does not answer, and of nothing else: on a busy machine what is well takes longer. */
export const IMPATIENT = { totalTimeout: 5, idleTimeout: 0.5 };
/** The library's uploads want delays of a second at least. */
export const UPLOADS = { maxRetryDelay: 1 };
const PATIENT = { maxRetries: 3, maxRetryDelay: 0.02, totalTimeout: 60, idleTimeout: 30 };

/** Starts it before all tests of a file; each test begins without faults. */
export function service(limits: Partial<Limits> = {}): Service {
  const folder = mkdtempSync(join(tmpdir(), "gcs-"));
  const before = process.env.STORAGE_EMULATOR_HOST;
  const made = {} as Service;
  let stop: () => Promise<void>;
  let restore: () => void;
  let direct: Storage;
  const object = (uri: string) => {
    const [, bucket, name] = /^gs:\/\/([^/]+)\/(.+)$/s.exec(uri)!;
    return direct.bucket(bucket).file(name);
  };

  beforeAll(async () => {
    const port = await freePort();
    const host = `http://127.0.0.1:${port}`;
    const storage = await startStorage(startService, folder, host);
    stop = storage.stop;
    made.proxy = await FaultyProxy.start(port, storage.port);
    made.host = host;
    // without the variable: with it, the library would leave out the path of the API
    delete process.env.STORAGE_EMULATOR_HOST;
    direct = new Storage({ apiEndpoint: storage.host, projectId: "test" });
    process.env.STORAGE_EMULATOR_HOST = host;
    restore = useLimits({ ...PATIENT, ...limits });
  });
  beforeEach(() => {
    made.proxy.seen = [];
    made.proxy.fault = () => undefined;
  });
  afterAll(async () => {
    restore?.();
    if (before === undefined) delete process.env.STORAGE_EMULATOR_HOST;
    else process.env.STORAGE_EMULATOR_HOST = before;
    await made.proxy?.close();
    await stop?.();
    rmSync(folder, { recursive: true, force: true });
  });

  return Object.assign(made, {
    createBucket: async (bucket: string) => void (await direct.createBucket(bucket)),
    put: async (uri: string, content: string | Uint8Array, metadata = {}) =>
      object(uri).save(Buffer.from(content), { resumable: false, metadata }),
    get: async (uri: string) => (await object(uri).download({ decompress: false }))[0],
    remove: async (uri: string) => void (await object(uri).delete()),
    names: async (bucket: string, prefix?: string) => (await direct.bucket(bucket).getFiles({ prefix }))[0].map(({ name }) => name).sort(),
  });
}
