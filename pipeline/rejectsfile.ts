import { randomUUID } from "node:crypto";
import { appendFileSync, mkdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { isRemote, remoteObjects } from "./io/remote";
import { join } from "./paths";

/**
 * Rejects of one attempt at a split: a split may be read twice, even at once. Where the run's folder is in a bucket, they are gathered on this machine
 * and go there at the end.
 */
export class RejectsFile {
  private readonly target: string;
  private readonly local: string;
  private written = false;

  constructor(folder: string, name: string) {
    const unique = `${name}-${randomUUID()}.ndjson`;
    this.target = join(folder, unique);
    this.local = isRemote(folder) ? join(tmpdir(), `backstory-rejects-${unique}`) : this.target;
    if (this.local === this.target) mkdirSync(folder, { recursive: true });
  }

  add(lines: readonly string[]): void {
    this.written = true;
    appendFileSync(this.local, `${lines.join("\n")}\n`);
  }

  /** @returns where they are; null for none */
  async finish(): Promise<string | null> {
    if (!this.written) return null;
    if (this.local === this.target) return this.target;
    try {
      await remoteObjects().upload(this.target, this.local, statSync(this.local).size, remoteObjects().ABSENT);
      return this.target;
    } finally {
      this.discard();
    }
  }

  /** What a broken split has left on this machine. */
  discard(): void {
    if (this.local !== this.target) rmSync(this.local, { force: true });
  }
}
