/**
 * The turn to publish (`pipeline/turn.ts`) in a bucket, where nothing but single objects can be made and removed as a whole:
 *
 *     _publishing/claim.json                      whose turn it is, with what is in its folder
 *     _publishing/RUN~NUMBER/commit.json          what was decided, with all that is in its folders; never changed
 *     _publishing/RUN~NUMBER/commit/PATH.here     a folder that was moved to PATH
 *     _publishing/RUN~NUMBER/commit/PATH.gone     a file or a folder that was moved away from PATH
 *
 * Each is made once, if it is not there (ifGenerationMatch=0). The turn is given back by removing the claim; the rest has names
 * that nobody will use again, is nothing without it, and is swept away.
 */
import type { Tree } from "../storage";
import { listObjects } from "./find";
import { ABSENT, type Found, removeAll, removeObject, textNow, writeText } from "./objects";
import { parseUri } from "./uri";

interface Claim {
  object: Found;
  tree: Tree;
}

export class Turns {
  private readonly root: string;
  /** what was decided never changes, so it is read once */
  private readonly commits = new Map<string, Tree>();

  constructor(output: string) {
    this.root = `${output.replace(/\/*$/, "")}/_publishing`;
  }

  has(path: string): boolean {
    return path === this.root || path.startsWith(`${this.root}/`);
  }

  isTurn(path: string): boolean {
    return this.has(path) && this.partsOf(path).length === 1;
  }

  async read(path: string): Promise<string | undefined> {
    const node = await this.nodeAt(this.partsOf(path));
    return typeof node === "string" ? node : undefined;
  }

  async list(path: string): Promise<string[]> {
    const node = await this.nodeAt(this.partsOf(path));
    return node === undefined || typeof node === "string" ? [] : Object.keys(node).sort();
  }

  /** Whether the folder that a file would be in is there. */
  async hasFolderOf(path: string): Promise<boolean> {
    const node = await this.nodeAt(this.partsOf(path).slice(0, -1));
    return node !== undefined && typeof node !== "string";
  }

  async claim(folder: string, tree: Tree): Promise<"made" | "taken" | "nowhere"> {
    const [turn] = this.partsOf(folder);
    if (turn !== undefined && (await this.claimNow())?.tree[turn] === undefined) return "nowhere";
    const made = await writeText(turn === undefined ? this.claimUri : this.commitUri(turn), JSON.stringify(tree), ABSENT);
    return made ? "made" : "taken";
  }

  /** Moves a folder. Both are there for a moment, which is the same as none of it being done yet. */
  async turn(from: string, to: string): Promise<boolean> {
    const node = await this.nodeAt(this.partsOf(from));
    if (node === undefined || !(await this.hasFolderOf(to))) return false;
    await writeText(`${to}.here`, "", ABSENT);
    await this.bury(from);
    return true;
  }

  async bury(path: string): Promise<void> {
    await writeText(`${path}.gone`, "", ABSENT);
  }

  async giveBack(path: string): Promise<boolean> {
    const [turn] = this.partsOf(path);
    const claim = await this.claimNow();
    return claim?.tree[turn] !== undefined && (await removeObject(claim.object));
  }

  /** Removes what is left of turns that were given back. Listed first: what a turn has that is taken meanwhile is not among it. */
  async sweep(): Promise<void> {
    const { bucket, name } = parseUri(`${this.root}/`, "a path");
    const turns = new Set((await listObjects({ bucket, name })).map((object) => object.name.slice(name.length).split("/")[0]));
    turns.delete("claim.json");
    if (turns.size === 0) return;
    const claim = await this.claimNow();
    for (const turn of turns) if (claim?.tree[turn] === undefined) await removeAll(`${this.root}/${turn}`);
  }

  private get claimUri(): string {
    return `${this.root}/claim.json`;
  }

  private commitUri(turn: string): string {
    return `${this.root}/${turn}/commit.json`;
  }

  private partsOf(path: string): string[] {
    return path
      .slice(this.root.length + 1)
      .split("/")
      .filter((part) => part !== "");
  }

  private async claimNow(): Promise<Claim | undefined> {
    const found = await textNow(this.claimUri);
    return found && { object: found.object, tree: JSON.parse(found.text) };
  }

  /** What is at a path in the folder of turns. */
  private async nodeAt([turn, ...rest]: string[]): Promise<string | Tree | undefined> {
    const claim = await this.claimNow();
    if (claim === undefined || turn === undefined) return claim?.tree;
    const folder = claim.tree[turn];
    if (folder === undefined || typeof folder === "string") return folder;
    const { bucket, name } = parseUri(`${this.root}/${turn}/`, "a path");
    const moved = new Set((await listObjects({ bucket, name })).map((object) => object.name.slice(name.length)));
    const commit = moved.has("commit.json") ? await this.commitOf(turn) : undefined;
    return nodeIn({ ...folder, ...(commit === undefined ? {} : { commit }) }, rest, moved);
  }

  private async commitOf(turn: string): Promise<Tree> {
    const known = this.commits.get(turn);
    if (known !== undefined) return known;
    const found = await textNow(this.commitUri(turn));
    const tree: Tree = found === undefined ? {} : JSON.parse(found.text);
    if (found !== undefined) this.commits.set(turn, tree);
    return tree;
  }
}

/** @param moved names of the objects that tell of moves, from the turn's folder on */
export function nodeIn(tree: Tree, path: readonly string[], moved: ReadonlySet<string>): string | Tree | undefined {
  let node: string | Tree | undefined = tree;
  for (const [i, part] of path.entries()) {
    const at = path.slice(0, i + 1).join("/");
    if (moved.has(`${at}.gone`) || node === undefined || typeof node === "string") return undefined;
    node = moved.has(`${at}.here`) ? {} : Object.hasOwn(node, part) ? node[part] : undefined;
  }
  return node;
}
