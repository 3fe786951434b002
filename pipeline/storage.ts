/**
 * What publishing asks of the place that it publishes to. Each operation is done as a whole or not at all, also where several processes
 * call at once and where one is stopped in the middle.
 *
 * A bucket can do the same: `claim` is an upload that wants no object there (ifGenerationMatch=0), `move` a rewrite and a deletion of one
 * generation, each under the condition that nobody came before.
 */
import { randomUUID } from "node:crypto";
import {
  accessSync,
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, sep } from "node:path";

/** What a folder is to have in it: texts of files and folders by name. */
export interface Tree {
  [name: string]: string | Tree;
}

export interface Storage {
  /** so many operations at a time are worth it */
  readonly atOnce: number;
  /** The text of a file; undefined where there is none. */
  read(path: string): Promise<string | undefined>;
  /** Names in a folder, in order; none where there is no folder. */
  list(folder: string): Promise<string[]>;
  /** Bytes of a file; undefined where there is none. */
  size(path: string): Promise<number | undefined>;
  /** Writes a file, which takes the place of one that is there. */
  replace(path: string, text: string): Promise<void>;
  /**
   * Makes a folder with all that is to be in it, all at once, unless there is one with something in it.
   * @param aside name that nobody else uses, on the same disk, where it is made ready
   * @returns whether it was made; "nowhere" if the folder that it was to be in is gone
   */
  claim(folder: string, tree: Tree, aside: string): Promise<"made" | "taken" | "nowhere">;
  /** Moves a file, in the place of one that is there, or a folder. @returns false if it, or the folder that it was to go to, is gone */
  move(from: string, to: string): Promise<boolean>;
  makeFolder(folder: string): Promise<void>;
  /** Removes a file, or a folder and all in it. */
  remove(path: string): Promise<void>;
  /** Removes a folder if it is empty. */
  removeEmpty(folder: string): Promise<void>;
  /** Why nothing can be written to a folder; undefined if it can, or is not there. */
  refuses(folder: string): Promise<string | undefined>;
  /** Whether a path is a link that leads out of a folder. */
  leadsOut(path: string, folder: string): Promise<boolean>;
}

/** Told of each operation on the disk before it is done: for tests that delay, stop or fail there. */
export type BeforeEach = (operation: string, path: string) => void;

/** Files on this machine, or on a disk that machines share. rename(2) is what makes its operations whole. */
export class Disk implements Storage {
  readonly atOnce: number = 1;

  constructor(private readonly before: BeforeEach = () => {}) {}

  async read(path: string): Promise<string | undefined> {
    this.before("read", path);
    return unlessGone(() => readFileSync(path, "utf8"), undefined);
  }

  async list(folder: string): Promise<string[]> {
    this.before("list", folder);
    return unlessGone(() => readdirSync(folder).sort(), []);
  }

  async size(path: string): Promise<number | undefined> {
    this.before("size", path);
    return unlessGone(() => statSync(path).size, undefined);
  }

  async replace(path: string, text: string): Promise<void> {
    const aside = join(dirname(path), `.${randomUUID()}`);
    try {
      this.write(aside, text);
      this.before("rename", path);
      renameSync(aside, path);
    } finally {
      rmSync(aside, { force: true });
    }
  }

  async claim(folder: string, tree: Tree, aside: string): Promise<"made" | "taken" | "nowhere"> {
    try {
      this.plant(aside, tree);
      this.before("rename", folder);
      renameSync(aside, folder);
      return "made";
    } catch (error) {
      rmSync(aside, { recursive: true, force: true });
      const { code, syscall } = error as NodeJS.ErrnoException;
      if (syscall !== "rename") throw error;
      if (code === "ENOTEMPTY" || code === "EEXIST") return "taken";
      if (code === "ENOENT") return "nowhere";
      throw error;
    }
  }

  async move(from: string, to: string): Promise<boolean> {
    this.before("rename", to);
    try {
      renameSync(from, to);
      return true;
    } catch (error) {
      if (isGone(error)) return false;
      if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    }
    return this.moveAcross(from, to);
  }

  async makeFolder(folder: string): Promise<void> {
    this.before("mkdir", folder);
    mkdirSync(folder, { recursive: true });
  }

  async remove(path: string): Promise<void> {
    this.before("remove", path);
    rmSync(path, { recursive: true, force: true });
  }

  async removeEmpty(folder: string): Promise<void> {
    this.before("rmdir", folder);
    try {
      rmdirSync(folder);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (!isGone(error) && code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    }
  }

  async refuses(folder: string): Promise<string | undefined> {
    this.before("access", folder);
    try {
      accessSync(folder, constants.W_OK | constants.X_OK);
      return undefined;
    } catch (error) {
      return isGone(error) ? undefined : (error as NodeJS.ErrnoException).code;
    }
  }

  async leadsOut(path: string, folder: string): Promise<boolean> {
    this.before("lstat", path);
    if (!unlessGone(() => lstatSync(path).isSymbolicLink(), false)) return false;
    const to = unlessGone(() => realpathSync(path), undefined);
    return to === undefined || !to.startsWith(realpathSync(folder) + sep);
  }

  private write(path: string, text: string): void {
    this.before("write", path);
    writeFileSync(path, text, { flag: "wx" });
  }

  private plant(folder: string, tree: Tree): void {
    this.before("mkdir", folder);
    mkdirSync(folder, { recursive: true });
    for (const [name, content] of Object.entries(tree)) {
      const path = join(folder, name);
      if (typeof content === "string") this.write(path, content);
      else this.plant(path, content);
    }
  }

  /**
   * From disk to disk, where a partition is mounted: a copy, then a rename. Whoever comes late finds the file gone, except between the
   * last look and the rename.
   */
  private moveAcross(from: string, to: string): boolean {
    const copy = join(dirname(to), `.${basename(to)}.${randomUUID()}`);
    try {
      this.before("copy", copy);
      copyFileSync(from, copy);
      this.before("rename", to);
      statSync(from);
      renameSync(copy, to);
      this.before("remove", from);
      rmSync(from, { force: true });
      return true;
    } catch (error) {
      if (isGone(error)) return false;
      throw error;
    } finally {
      rmSync(copy, { force: true });
    }
  }
}

const isGone = (error: unknown): boolean => {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
};

function unlessGone<Value, Other>(look: () => Value, otherwise: Other): Value | Other {
  try {
    return look();
  } catch (error) {
    // nothing has a name that is too long
    if (isGone(error) || (error as NodeJS.ErrnoException).code === "ENAMETOOLONG") return otherwise;
    throw error;
  }
}
