/** What a verification found: each difference with where it is, what was expected and why. */

export interface Where {
  /** of the output, relative to it */
  file?: string;
  dt?: string;
  /** in its file, from 1 */
  row?: number;
  /** in its history, from 0 */
  position?: number;
  /** of the inputs: path and position, `clicks.ndjson:12` */
  input?: string;
}

export interface Finding extends Where {
  /** what it is, in a few words that stay the same from release to release */
  kind: string;
  /** what was found and what was expected, without values of customers */
  message: string;
  /** values of customers, for those who ask for them */
  values?: Record<string, unknown>;
}

/** Findings by kind: all are counted, the first of each are kept. */
export class Findings {
  readonly counts = new Map<string, number>();
  readonly kept: Finding[] = [];
  /** what was not checked, and why */
  readonly unchecked = new Set<string>();
  /** what is worth knowing and no difference */
  readonly warnings: string[] = [];

  constructor(readonly most = 20) {}

  add(kind: string, message: string, where: Where = {}, values?: Record<string, unknown>): void {
    const count = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, count);
    if (count <= this.most) this.kept.push({ kind, message, ...where, ...(values === undefined ? {} : { values }) });
  }

  get total(): number {
    let total = 0;
    for (const count of this.counts.values()) total += count;
    return total;
  }
}
