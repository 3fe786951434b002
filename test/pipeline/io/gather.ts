import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFiles, planSplits } from "../../../pipeline/io/files";
import { readSplit } from "../../../pipeline/io/readers";
import type { Split } from "../../../pipeline/io/rows";
import type { Cell } from "../../../transforms/cells";

export interface Gathered {
  /** rows and rejects in the order in which they came */
  rows: { position: number; cells?: Cell[]; reject?: string }[];
  columns: string[];
  positions: number;
}

/** Reads splits one after another; positions are counted on through them. */
export async function gather(splits: Split[], columns: readonly string[]): Promise<Gathered> {
  const all: Gathered = { rows: [], columns: [], positions: 0 };
  for (const split of splits) {
    const before = all.positions;
    const { positions } = await readSplit(split, columns, {
      row: (cells, position) => all.rows.push({ position: before + position, cells: [...cells] }),
      reject: (reject, position) => all.rows.push({ position: before + position, reject }),
      columns: (names) => (all.columns = names),
      drain: async () => {},
    });
    all.positions += positions;
  }
  return all;
}

export async function gatherFile(path: string, columns: readonly string[], splitBytes = 1 << 30): Promise<Gathered> {
  return gather(await planSplits("clicks", findFiles(path, "clicks"), splitBytes), columns);
}

/** A folder for files of one test file, gone at its end. */
export function temporary(): { write(name: string, content: string | Uint8Array): string; path: string } {
  const path = mkdtempSync(join(tmpdir(), "backstory-io-"));
  afterAll(() => rmSync(path, { recursive: true }));
  return {
    path,
    write(name, content) {
      writeFileSync(join(path, name), content);
      return join(path, name);
    },
  };
}
