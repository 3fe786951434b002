import { ConfigError } from "../errors";

/** An object in a bucket, or what the names of objects begin with. */
export interface ObjectName {
  bucket: string;
  /** "" for the whole bucket */
  name: string;
}

export const isGcs = (path: string): boolean => path.startsWith("gs://");

export const uriOf = ({ bucket, name }: ObjectName): string => `gs://${bucket}/${name}`;

/** cloud.google.com/storage/docs/buckets#naming */
const BUCKET = /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/;

/**
 * @param what the flag or the table, for messages
 * @throws ConfigError
 */
export function parseUri(uri: string, what: string): ObjectName {
  const [, bucket, name = ""] = /^gs:\/\/([^/]*)(?:\/(.*))?$/s.exec(uri) ?? [];
  if (bucket === undefined) throw new ConfigError(`${what} must be gs://BUCKET/PATH; got "${uri}". Check the path.`);
  if (!BUCKET.test(bucket))
    throw new ConfigError(
      `${what}: "${bucket}" is no name of a bucket (lower-case letters, digits, -, _ and dots, no globs); got "${uri}". Write gs://BUCKET/PATH.`,
    );
  if (/[\r\n]/.test(name))
    throw new ConfigError(`${what}: names of objects have no line breaks; got ${JSON.stringify(uri)}. Check the path.`);
  return { bucket, name };
}

/** @throws ConfigError for a path on a service that is not known here */
export function refuseOtherServices(path: string, what: string): void {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(path)?.[1];
  if (scheme !== undefined && !isGcs(path))
    throw new ConfigError(`${what} cannot be on ${scheme}://; got "${path}". Give a path on this machine, or gs://BUCKET/PATH.`);
}
