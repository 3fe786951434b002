import { asked, payer, storage } from "./client";
import { Refused, reading, told } from "./errors";
import { type Pinned, readRange } from "./range";
import { parseUri } from "./uri";

/** An object as it is now. */
export interface Found extends Pinned {
  generation: string;
  size: number;
}

/** @returns undefined where there is no such object */
export async function findObject(uri: string): Promise<Found | undefined> {
  const { bucket, name } = parseUri(uri, "a path");
  const file = storage().bucket(bucket, { userProject: payer() }).file(name);
  const ask = () => file.getMetadata().then(([found]) => found, absent);
  const found = await asked(reading(uri), ask);
  return found && { path: uri, generation: String(found.generation), size: Number(found.size) };
}

/** What is not there is no error; what else was wrong is. */
function absent(error: unknown): undefined {
  if ((error as { code?: unknown }).code !== 404) throw error;
}

/** The text of an object. @throws ConfigError where there is none */
export async function readText(uri: string): Promise<string> {
  const found = await findObject(uri);
  if (found === undefined) throw told(new Refused(404, ""), reading(uri));
  return (await readRange(found, 0, found.size)).toString("utf8");
}
