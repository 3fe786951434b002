import type { Storage, Tree } from "../storage";
import { listObjects } from "./find";
import { ABSENT, copy, type Found, findObject, removeAll, removeObject, replaceText, textNow, writeText } from "./objects";
import { Turns } from "./turns";
import { parseUri } from "./uri";

/** Times that a step is begun anew, since somebody else has changed what it was about to change. */
const TRIES = 20;

/**
 * Publishing to a bucket. There are no folders: one is there if it is looked at, and a file is moved by a copy and a removal. What a rename
 * gives on a disk, conditions give here: first one looks at what is to be replaced, then at what is to be moved, and then writes on the
 * condition that the former is still what it was. Who comes late fails one of the two. The folder of turns, whose folders do matter, is
 * kept in objects of another kind (`turns.ts`).
 */
export class Bucket implements Storage {
  readonly atOnce = 16;
  private readonly turns: Turns;

  /** @throws ConfigError */
  constructor(output: string) {
    parseUri(output, "--output");
    this.turns = new Turns(output);
  }

  async read(path: string): Promise<string | undefined> {
    if (this.turns.has(path)) return this.turns.read(path);
    return (await textNow(path))?.text;
  }

  async list(folder: string): Promise<string[]> {
    if (this.turns.has(folder)) return this.turns.list(folder);
    const { bucket, name } = parseUri(folder, "a path");
    const prefix = `${name.replace(/\/*$/, "")}/`;
    const names = (await listObjects({ bucket, name: prefix })).map((object) => object.name.slice(prefix.length).split("/")[0]);
    return [...new Set(names.filter((each) => each !== ""))].sort();
  }

  async size(path: string): Promise<number | undefined> {
    if (!this.turns.has(path)) return (await findObject(path))?.size;
    const text = await this.turns.read(path);
    return text === undefined ? undefined : Buffer.byteLength(text);
  }

  replace(path: string, text: string): Promise<void> {
    return replaceText(path, text);
  }

  claim(folder: string, tree: Tree): Promise<"made" | "taken" | "nowhere"> {
    return this.turns.claim(folder, tree);
  }

  async move(from: string, to: string): Promise<boolean> {
    const { turns } = this;
    if (turns.isTurn(from)) return turns.giveBack(from);
    if (turns.has(from) && turns.has(to)) return turns.turn(from, to);
    for (let tries = 0; tries < TRIES; tries++) {
      const done = turns.has(to) ? await this.takeAway(from, to) : await this.bring(from, to);
      if (done !== undefined) return done;
    }
    throw new Error(`"${to}" is changed by somebody else again and again. Look who does, and run it again.`);
  }

  /** @returns false if there is nothing to move, undefined if something has changed meanwhile */
  private async bring(from: string, to: string): Promise<boolean | undefined> {
    const before = (await findObject(to))?.generation ?? ABSENT;
    if (this.turns.has(from)) {
      const text = await this.turns.read(from);
      if (text === undefined) return false;
      if (!(await writeText(to, text, before))) return undefined;
      await this.turns.bury(from);
      return true;
    }
    const source = await findObject(from);
    if (source === undefined) return false;
    if (!(await copy(source, to, before))) return undefined;
    await removeObject(source);
    return true;
  }

  /** Into a folder of a turn goes what nobody wants any more. */
  private async takeAway(from: string, to: string): Promise<boolean | undefined> {
    const source: Found | undefined = await findObject(from);
    if (source === undefined || !(await this.turns.hasFolderOf(to))) return false;
    return (await removeObject(source)) || undefined;
  }

  async makeFolder(): Promise<void> {}

  async remove(path: string): Promise<void> {
    if (!this.turns.has(path)) await removeAll(path);
  }

  async removeEmpty(folder: string): Promise<void> {
    if (this.turns.has(folder)) await this.turns.sweep();
  }

  /** Told when it is tried: an account may be allowed one thing and not another. */
  async refuses(): Promise<undefined> {}

  async leadsOut(): Promise<boolean> {
    return false;
  }
}
