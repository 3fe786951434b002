/** A runner of our own, which ends with this process, however that ends. */
export interface JobService {
  /** host:port of the job service */
  endpoint: string;
  /** where its log goes */
  log: string;
  /** resolves when it ended by itself, with why */
  ended: Promise<string>;
  /** ends it, its children and temporary files; idempotent */
  stop(): Promise<void>;
}
