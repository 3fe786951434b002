/**
 * How far the run has come, for whoever watches. Only what this process does is seen; it is decoration, nothing is computed
 * from it (the ledger travels with the data).
 */
export class Progress {
  rows = 0;
  bytes = 0;
  written = 0;
  stage = "reading";
  /** told of every change; the command line draws from here, because a busy thread fires no timers */
  onChange: (progress: Progress) => void = () => {};

  scanned(table: string, rows: number): void {
    this.stage = `reading ${table}`;
    this.rows += rows;
    this.onChange(this);
  }

  read(bytes: number): void {
    this.bytes += bytes;
    this.onChange(this);
  }

  joined(): void {
    this.stage = "joining";
    this.onChange(this);
  }

  wrote(rows: number): void {
    this.stage = "writing";
    this.written += rows;
    this.onChange(this);
  }
}

export const progress = new Progress();
