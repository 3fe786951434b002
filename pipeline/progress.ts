/** How far a process has come. */
export interface Steps {
  rows: number;
  bytes: number;
  written: number;
  stage: string;
}

/**
 * How far the run has come, for whoever watches. What this process does is seen, and what its workers tell; it is decoration, nothing is computed
 * from it (the ledger travels with the data).
 */
export class Progress implements Steps {
  rows = 0;
  bytes = 0;
  written = 0;
  stage = "reading";
  /** told of every change; the command line draws from here, because a busy thread fires no timers */
  onChange: (progress: Progress) => void = () => {};

  /** What another process has done since it last told. */
  add({ rows, bytes, written, stage }: Steps): void {
    this.rows += rows;
    this.bytes += bytes;
    this.written += written;
    this.stage = stage;
    this.onChange(this);
  }

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
