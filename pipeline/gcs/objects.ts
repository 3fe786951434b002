/** Objects one by one: looked at, read, written, copied and removed; each under the condition that it is what it was when one looked. */
import { randomUUID } from "node:crypto";
import { inParallel } from "../io/parallel";
import { asked, payer, storage } from "./client";
import { type Attempted, Refused, reading, removing, told, writing } from "./errors";
import { listObjects } from "./find";
import { type Pinned, Replaced, readRange } from "./range";
import { parseUri } from "./uri";

/** An object as it is now. */
export interface Found extends Pinned {
  generation: string;
  size: number;
}

/** The generation of what is not there, for conditions. */
export const ABSENT = "0";

/** Larger than this, an upload is made in pieces, so that a connection that breaks does not cost all of it. */
const RESUMABLE_BYTES = 8 << 20;
/** Removals at a time. */
const REQUESTS = 16;

function objectAt(uri: string, ifGenerationMatch?: string) {
  const { bucket, name } = parseUri(uri, "a path");
  const preconditionOpts = ifGenerationMatch === undefined ? {} : { ifGenerationMatch: Number(ifGenerationMatch) };
  return storage()
    .bucket(bucket, { userProject: payer() })
    .file(name, { preconditionOpts, userProject: payer() } as object);
}

/** @returns undefined where there is no such object */
export async function findObject(uri: string): Promise<Found | undefined> {
  const found = await unless([404], reading(uri), () => objectAt(uri).getMetadata());
  return found && { path: uri, generation: String(found[0].generation), size: Number(found[0].size) };
}

/** @returns undefined for an answer of one of these kinds */
async function unless<T>(codes: readonly number[], attempted: Attempted, request: () => Promise<T>): Promise<T | undefined> {
  return asked(attempted, () =>
    request().catch((error: unknown) => {
      if (!codes.includes(Number((error as { code?: unknown }).code))) throw error;
      return undefined;
    }),
  );
}

/** The text of an object. @throws ConfigError where there is none */
export async function readText(uri: string): Promise<string> {
  const found = await textNow(uri);
  if (found === undefined) throw told(new Refused(404, ""), reading(uri));
  return found.text;
}

/** So often an object that is replaced while it is read is read again. */
const LOOKS = 20;

/**
 * An object and its text, of one version, though others may replace or remove it at the same time.
 * @returns undefined where there is no such object
 */
export async function textNow(uri: string): Promise<{ object: Found; text: string } | undefined> {
  for (let looks = 1; ; looks++) {
    const object = await findObject(uri);
    try {
      return object && { object, text: (await readRange(object, 0, object.size)).toString("utf8") };
    } catch (error) {
      if (!(error instanceof Replaced) || looks === LOOKS) throw error;
    }
  }
}

/**
 * Writes an object, its checksum compared with what has arrived, if its generation is this one. An answer that was lost on the way is told from a
 * condition that fails by a name that the object carries.
 * @returns false if it is not
 */
export function writeText(uri: string, text: string, generation: string): Promise<boolean> {
  return write(uri, (options) => objectAt(uri, generation).save(text, { ...options, resumable: false }));
}

/** As writeText, of bytes. */
export function writeBytes(uri: string, bytes: Buffer, generation: string): Promise<boolean> {
  return write(uri, (options) => objectAt(uri, generation).save(bytes, { ...options, resumable: bytes.length > RESUMABLE_BYTES }));
}

/** As writeText, of a file on this machine. */
export function upload(uri: string, path: string, bytes: number, generation: string): Promise<boolean> {
  const { bucket, name } = parseUri(uri, "a path");
  const preconditionOpts = { ifGenerationMatch: Number(generation) };
  const send = (options: WriteOptions) =>
    storage()
      .bucket(bucket, { userProject: payer() })
      .upload(path, { ...options, destination: name, preconditionOpts, resumable: bytes > RESUMABLE_BYTES });
  return write(uri, send);
}

interface WriteOptions {
  validation: "crc32c";
  metadata: { metadata: Record<string, string> };
}

async function write(uri: string, send: (options: WriteOptions) => Promise<unknown>): Promise<boolean> {
  const attempt = randomUUID();
  const options: WriteOptions = { validation: "crc32c", metadata: { metadata: { "backstory-attempt": attempt } } };
  const done = await unless([412], writing(uri), async () => {
    await send(options);
    return true;
  });
  return done ?? (await isOf(uri, attempt));
}

async function isOf(uri: string, attempt: string): Promise<boolean> {
  const found = await unless([404], reading(uri), () => objectAt(uri).getMetadata());
  return found?.[0].metadata?.["backstory-attempt"] === attempt;
}

/** Writes over whatever is there, once it has looked what that is: for what a run alone writes. */
export const replaceText = (uri: string, text: string): Promise<void> => replace(uri, (generation) => writeText(uri, text, generation));

/** As replaceText, of a file on this machine. */
export const replaceFile = (uri: string, path: string, bytes: number): Promise<void> =>
  replace(uri, (generation) => upload(uri, path, bytes, generation));

async function replace(uri: string, write: (generation: string) => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 10; tries++) if (await write((await findObject(uri))?.generation ?? ABSENT)) return;
  throw told(new Refused(412, ""), writing(uri));
}

/** Copies an object within the service. @returns false if either is not what it was */
export async function copy(from: Found, to: string, generation: string): Promise<boolean> {
  const { bucket, name } = parseUri(from.path, "a path");
  const source = storage().bucket(bucket, { userProject: payer() }).file(name, { generation: from.generation });
  const preconditionOpts = { ifGenerationMatch: Number(generation) };
  return (await unless([404, 412], writing(to), () => source.copy(objectAt(to), { preconditionOpts, userProject: payer() }))) !== undefined;
}

/** Removes an object if it is what it was. @returns false if it is not, or gone */
export async function removeObject({ path, generation }: Found): Promise<boolean> {
  const options = { ifGenerationMatch: Number(generation), userProject: payer() };
  return (await unless([404, 412], removing(path), () => objectAt(path, generation).delete(options))) !== undefined;
}

/** Removes an object, or all below it. */
export async function removeAll(uri: string): Promise<void> {
  const { bucket, name } = parseUri(uri, "a path");
  const below = await listObjects({ bucket, name: `${name.replace(/\/*$/, "")}/` });
  const itself = await findObject(uri);
  const all = [...below.map((each) => ({ ...each, path: `gs://${bucket}/${each.name}` })), ...(itself === undefined ? [] : [itself])];
  await inParallel(all, REQUESTS, removeObject);
}
