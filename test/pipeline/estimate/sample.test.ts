/** Pieces of large texts: what is taken from them are whole rows, each once. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { sampleTable, type Taker } from "../../../pipeline/estimate/sample";
import { findFiles } from "../../../pipeline/io/files";
import { temporary } from "../io/gather";

jest.setTimeout(300_000);

const folder = temporary();

class Taken implements Taker {
  readonly columns = ["id", "text"];
  readonly rows: string[] = [];
  rejects = 0;
  row(cells: readonly unknown[]) {
    this.rows.push(cells.map(String).join(" "));
  }
  reject() {
    this.rejects++;
  }
  found() {}
}

/** Rows of 40 to 300 bytes, so that no piece ends where a row does but by chance; 17 MB. */
const ROWS = Array.from({ length: 100_000 }, (_, id) => ({ id, text: "x".repeat(20 + ((id * 7919) % 260)) }));
const expected = new Set(ROWS.map(({ id, text }) => `${id} ${text}`));

const FORMS: Record<string, () => string> = {
  ndjson: () => ROWS.map((row) => `${JSON.stringify(row)}\n`).join(""),
  csv: () => `\ufeffid,other,"text"\r\n${ROWS.map(({ id, text }) => `${id},"a, b",${text}\r\n`).join("")}`,
};

test.each(Object.keys(FORMS))(
  "%s: only whole rows, each once, from all over the file; their number is estimated within 5%%",
  async (format) => {
    const path = join(folder.path, `rows.${format}`);
    writeFileSync(path, FORMS[format]());
    const taken = new Taken();
    const { rows, sampled, counted, bytesRead } = await sampleTable(findFiles(path, "rows"), taken);
    expect([taken.rejects, counted, sampled]).toEqual([0, false, taken.rows.length]);
    expect(bytesRead).toBe(findFiles(path, "rows")[0].size);
    expect(new Set(taken.rows).size).toBe(taken.rows.length);
    expect(taken.rows.every((row) => expected.has(row))).toBe(true);
    expect(Math.abs(rows / ROWS.length - 1)).toBeLessThan(0.05);
    expect(taken.rows.length).toBeLessThan(0.7 * ROWS.length);
    const ids = taken.rows.map((row) => Number(row.split(" ")[0]));
    expect(Math.min(...ids)).toBe(0);
    expect(Math.max(...ids)).toBeGreaterThan(90_000);
  },
);

test("small files are read as a whole, of any number and form", async () => {
  const some = ROWS.slice(0, 100);
  writeFileSync(join(folder.path, "a.json"), JSON.stringify(some.slice(0, 40)));
  writeFileSync(
    join(folder.path, "b.csv"),
    `id,text\n${some
      .slice(40, 70)
      .map(({ id, text }) => `${id},${text}`)
      .join("\n")}`,
  );
  writeFileSync(
    join(folder.path, "c.ndjson"),
    some
      .slice(70)
      .map((row) => JSON.stringify(row))
      .join("\n"),
  );
  const files = ["a.json", "b.csv", "c.ndjson"].flatMap((name) => findFiles(join(folder.path, name), "rows"));
  const taken = new Taken();
  expect(await sampleTable(files, taken)).toMatchObject({ rows: 100, sampled: 100, counted: true });
  expect(taken.rows.sort()).toEqual(some.map(({ id, text }) => `${id} ${text}`).sort());
});

test("no file, or only empty ones: no rows, and that is counted", async () => {
  writeFileSync(join(folder.path, "empty.csv"), "");
  expect(await sampleTable(findFiles(join(folder.path, "empty.csv"), "rows"), new Taken())).toEqual({
    sampled: 0,
    rows: 0,
    counted: true,
    bytesRead: 0,
  });
});
