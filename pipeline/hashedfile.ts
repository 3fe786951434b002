import { createHash } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";

/** A new file, and of what has been written to it the size and the SHA-256. */
export class HashedFile {
  /** so far */
  bytes = 0;
  private readonly hash = createHash("sha256");
  private readonly fd: number;

  /** @throws Error (EEXIST) if there is one already */
  constructor(readonly path: string) {
    this.fd = openSync(path, "wx");
  }

  write(bytes: Uint8Array): void {
    this.hash.update(bytes);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at);
    this.bytes += bytes.length;
  }

  /** In hexadecimal digits; once, when all is written. */
  sha256(): string {
    return this.hash.digest("hex");
  }

  close(): void {
    closeSync(this.fd);
  }
}
