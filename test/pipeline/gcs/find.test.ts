import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import fc from "fast-check";
import { matching } from "../../../pipeline/gcs/find";
import { findFiles } from "../../../pipeline/io/files";
import { byBytes } from "../../../pipeline/io/globs";
import { temporary } from "../io/gather";

const files = temporary();
const FOLDERS = ["", "a/", "b/", "a/b/", "_a/", ".a/", "a/_b/", "dt=1/", "dt=2/", "a/dt=1/"];
const PATHS = FOLDERS.flatMap((folder) => ["x.ndjson", "y.csv", "_z.ndjson", ".w.ndjson"].map((name) => folder + name));
beforeAll(() => {
  for (const path of PATHS) {
    mkdirSync(dirname(join(files.path, path)), { recursive: true });
    writeFileSync(join(files.path, path), "{}\n");
  }
});

const part = fc.constantFrom("*", "**", "a", "b", "dt=*", "dt=[12]", "?", "{a,b}", "*.ndjson", "x.*", "[ab]", "*=1", "+(a|b)");
const glob = fc
  .tuple(fc.constantFrom("*", "**", "?", "{a,dt=1}", "[a-d]*"), fc.array(part, { maxLength: 3 }))
  .map(([first, more]) => [first, ...more].join("/"));

/** What a disk gives; nothing where it says that there is nothing. */
function onDisk(pattern: string): string[] {
  try {
    return findFiles(join(files.path, pattern), "clicks").map(({ path }) => relative(files.path, path));
  } catch {
    return [];
  }
}

test("a glob matches the same among names of objects as among files", () =>
  fc.assert(
    fc.property(glob, (pattern) => {
      const found = matching(
        PATHS.map((below) => ({ below })),
        pattern,
      ).map(({ below }) => below);
      expect(found.sort(byBytes)).toEqual(onDisk(pattern));
    }),
    { numRuns: 300 },
  ));
