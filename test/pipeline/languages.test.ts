import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** In a process of its own, since Jest has a cache of modules of its own. */
const run = (code: string) =>
  spawnSync(process.execPath, ["-e", code], { cwd: join(__dirname, "..", ".."), encoding: "utf8", timeout: 60_000 });

test("the command loads one language of zod's, in which it says what is wrong", () => {
  const { stdout, stderr } = run(`
    require("./dist/pipeline/cli.js");
    const { z } = require("zod");
    const loaded = Object.keys(require.cache).filter((path) => /zod.v4.locales.(?!index)/.test(path));
    console.log(JSON.stringify([loaded.length, z.number().safeParse("1").error.issues[0].message]));
  `);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual([1, "Invalid input: expected number, received string"]);
});

test("who uses the library has all of them", () => {
  const { stdout } = run(`
    require("./dist/pipeline/index.js");
    console.log(Object.keys(require("zod").z.locales).length > 40);
  `);
  expect(stdout).toBe("true\n");
});
