#!/usr/bin/env node
/**
 * Stands for docker and podman, neither of which the tests have: writes down how it was called, and for `run` starts what the image has, from
 * the folder of test/images/root.js, with the mounted folder in the place of /data. What an engine itself does is not tested: namespaces, users, limits.
 *   FAKE_ROOT   that folder
 *   FAKE_CALLS  file for a line of JSON a call
 *   FAKE_INFO   what `info` says; FAKE_STATUS the exit code of everything, with nothing run
 */
const { spawnSync } = require("node:child_process");
const { appendFileSync, readFileSync } = require("node:fs");
const { join } = require("node:path");

const dockerfile = readFileSync(join(__dirname, "../../deploy/Dockerfile"), "utf8");
const { FAKE_CALLS, FAKE_INFO, FAKE_ROOT, FAKE_STATUS } = process.env;
const args = process.argv.slice(2);
appendFileSync(FAKE_CALLS, `${JSON.stringify(args)}\n`);

/** What the target of an image's name says. */
function configOf(image) {
  const target = /(worker|launcher):[^:]*$/.exec(image)[1];
  const [, stage] = new RegExp(`^FROM base AS ${target}\n([^]*?)(?=^FROM |$(?![^]))`, "m").exec(dockerfile);
  const line = (instruction) => new RegExp(`^${instruction}[ ](.*)$`, "m").exec(stage)?.[1];
  return { entrypoint: JSON.parse(line("ENTRYPOINT")), user: line("USER"), path: line("ENV PATH=") };
}

function run() {
  const at = args.findIndex((arg, i) => i > 0 && !arg.startsWith("--"));
  const flags = Object.fromEntries(args.slice(1, at).map((flag) => flag.split(/=(.*)/s)));
  const [, source] = /^type=bind,source=(.*),target=\/data$/.exec(flags["--mount"] ?? "") ?? [];
  const seen = (arg) => arg.replace(/^((?:--[a-z-]+=)?)\/data\b/, (_, flag) => flag + source).replace(/^\/opt\//, `${FAKE_ROOT}/opt/`);
  const entry = flags["--entrypoint"] === undefined ? configOf(args[at]).entrypoint : [flags["--entrypoint"]];
  const [command, ...rest] = [...entry, ...args.slice(at + 1)].map(seen);
  const PATH = `${FAKE_ROOT}/opt/backstory/path:${process.env.PATH}`;
  return spawnSync(command, rest, { stdio: "inherit", env: { ...process.env, PATH }, timeout: 120_000 }).status;
}

if (FAKE_STATUS !== undefined) process.exitCode = Number(FAKE_STATUS);
else if (args[0] === "info") console.log(FAKE_INFO ?? "[name=seccomp,profile=builtin]");
else if (args[0] === "image") console.log(configOf(args.at(-1)).user);
else process.exitCode = run();
