/** The programs in bin/ where the Node on the PATH is an older one. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporary } from "../pipeline/io/gather";

const folder = temporary();
const NODE24 = join(__dirname, "..", "..", "bin", "node24.js");

/** A program that believes to be run by Node 20, until the newer one has it. */
function program(main: string): string {
  const path = join(folder.path, "program.js");
  const old = `if (process.env.NEWER === undefined) Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.0.0" } });`;
  writeFileSync(path, `${old} process.env.NEWER = "1"; require(${JSON.stringify(NODE24)})(() => { ${main} });`);
  return path;
}

async function run(main: string, signal?: NodeJS.Signals): Promise<{ code: number | null; out: string }> {
  const child = spawn(process.execPath, [program(main)], { stdio: ["ignore", "pipe", "inherit"], timeout: 20_000, killSignal: "SIGKILL" });
  let out = "";
  child.stdout.on("data", (bytes: Buffer) => {
    out += bytes;
    if (signal !== undefined && out === "ready\n") child.kill(signal);
  });
  const [code] = await once(child, "close");
  return { code, out };
}

test("the exit code is that of the newer Node", async () => {
  expect(await run("process.exit(3)")).toEqual({ code: 3, out: "" });
});

test.each(["SIGINT", "SIGTERM"] as const)("%s is for the newer Node, which has the time to clean up", async (signal) => {
  const cleanUp = `setTimeout(() => { console.log("cleaned up"); process.exit(7); }, 200)`;
  const main = `process.once("${signal}", () => ${cleanUp}); setTimeout(() => {}, 20000); console.log("ready");`;
  expect(await run(main, signal)).toEqual({ code: 7, out: "ready\ncleaned up\n" });
});

test("a newer Node that a signal has ended gives the code of that signal", async () => {
  expect(await run(`setTimeout(() => {}, 20000); console.log("ready");`, "SIGTERM")).toEqual({ code: 143, out: "ready\n" });
});

test("a launcher that is killed takes the newer Node with it, which has the time to clean up", async () => {
  const left = join(folder.path, "left");
  const cleanUp = `require("fs").writeFileSync(${JSON.stringify(left)}, "cleaned up"); process.exit()`;
  const main = `process.once("SIGTERM", () => { ${cleanUp} }); setTimeout(() => {}, 20000); console.log("ready");`;
  expect(await run(main, "SIGKILL")).toEqual({ code: null, out: "ready\n" });
  expect(readFileSync(left, "utf8")).toBe("cleaned up");
});
