/** docs/reference/, and what it is made of. */
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parse } from "yaml";
import { z } from "zod";
import { COMMANDS, commandOf, main } from "../../pipeline/cli";
import { BuildSummary, Figures, RejectLine } from "../../pipeline/figures";
import { parseFlags } from "../../pipeline/flags";
import { configSchema } from "../../pipeline/help/configschema";
import { optionsOf } from "../../pipeline/help/describe";
import { VARIABLES } from "../../pipeline/help/environment";
import { examplesOf } from "../../pipeline/help/examples";
import { EXITS } from "../../pipeline/help/exits";
import { Manifest } from "../../pipeline/manifest";
import { BuildOptions } from "../../pipeline/options";
import { CELL_REASONS, RECORD_REASONS } from "../../transforms/reasons";

const { FOLDER, LIBRARY, pages } = require("../../docs/reference") as {
  FOLDER: string;
  LIBRARY: string;
  pages(): Promise<Record<string, string>>;
};
const { EXAMPLE } = require("../../docs/pages/usage") as { EXAMPLE: string };
const ROOT = join(__dirname, "../..");
const OURS = ["bin", "beam", "transforms", "pipeline", "verify", "compare", "report", "layouts"];

/** Text of all sources, but of those that only tell of others. */
const sources = OURS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
)
  .filter((path) => /\.[tj]s$/.test(path) && !/pipeline.help|reasons\.ts$/.test(path))
  .map((path) => readFileSync(join(ROOT, path), "utf8"))
  .join("\n");

test("docs/reference/ is what npm run docs:reference makes", async () => {
  const made = await pages();
  expect(readdirSync(FOLDER).sort()).toEqual([...Object.keys(made), LIBRARY].sort());
  for (const [name, text] of Object.entries(made)) expect({ name, text: readFileSync(join(FOLDER, name), "utf8") }).toEqual({ name, text });
});

test("every link leads somewhere, every option is told of, and nothing has come out as no text", async () => {
  for (const [name, text] of Object.entries(await pages())) {
    expect({ name, text }).not.toMatchObject({ text: expect.stringMatching(/undefined|\[object|NaN/) });
    for (const [, to] of text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g))
      expect({ name, to, is: existsSync(join(FOLDER, to)) }).toMatchObject({ is: true });
  }
  for (const command of COMMANDS) {
    const { schema } = (await commandOf(command))!;
    const page = readFileSync(join(FOLDER, `${command}.md`), "utf8");
    for (const { flag, about } of optionsOf(schema))
      expect([command, flag, page.includes(flag) && about.length > 3]).toEqual([command, flag, true]);
  }
});

test("every command has examples, and its own flags take them", async () => {
  for (const name of COMMANDS) {
    const { schema, paths } = (await commandOf(name))!;
    const examples = examplesOf(name).map(({ command }) =>
      command
        .replaceAll("\\\n", " ")
        .replace(/^source <\((.*)\)$/, "$1")
        .split(/\s+/),
    );
    expect([name, examples.length > 0]).toEqual([name, true]);
    for (const [program, command, ...words] of examples) {
      expect([program, command]).toEqual(["backstory", name]);
      // what a file has is not here
      const flags = words.filter((word) => !word.startsWith("--config="));
      expect(() => parseFlags(flags.length < words.length ? schema.partial() : schema, flags, paths)).not.toThrow();
    }
  }
});

test("the man pages of the package are those of its commands", () => {
  const { man } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  expect(man).toEqual(["backstory", ...COMMANDS.map((name) => `backstory-${name}`)].map((name) => `./dist/man/${name}.1`));
});

describe("the schema of configuration files", () => {
  const schema = z.fromJSONSchema(configSchema() as z.core.JSONSchema.JSONSchema);
  const partial = BuildOptions.partial();
  const camel = (name: string) => name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());

  test("the page's example is taken by it and by the command", () => {
    const values = parse(EXAMPLE);
    expect(schema.safeParse(values).error).toBeUndefined();
    const named = Object.fromEntries(Object.entries(values).map(([name, value]) => [camel(name), value]));
    expect(partial.safeParse(named).error).toBeUndefined();
  });

  test("what the command takes it takes, in each spelling; what it refuses by type or bound the command refuses", () => {
    const keys = optionsOf(BuildOptions).map(({ key }) => key);
    const value = fc.oneof(
      fc.integer({ min: -3, max: 200_000 }),
      fc.constantFrom(
        0.5,
        true,
        false,
        null,
        "",
        "none",
        "overwrite",
        "snappy",
        "direct",
        "5",
        "-1",
        "1%",
        "2025-08-03",
        "UTC",
        "gs://a/b",
        "bq://p.d.t",
        "a:1",
        [],
      ),
    );
    const spelled = (key: string, how: number) =>
      key.replaceAll(/[A-Z]/g, (letter) => (how === 0 ? `_${letter.toLowerCase()}` : how === 1 ? `-${letter.toLowerCase()}` : letter));
    let both = 0;
    fc.assert(
      fc.property(fc.constantFrom(...keys), value, fc.nat(2), (key, given, how) => {
        const taken = partial.safeParse({ [key]: given }).success;
        const fits = schema.safeParse({ [spelled(key, how)]: given }).success;
        if (taken) expect([key, given, fits]).toEqual([key, given, true]);
        if (typeof given === "number" && Number.isInteger(given) && !fits) expect([key, given, taken]).toEqual([key, given, false]);
        if (taken && fits) both++;
      }),
      { numRuns: 500 },
    );
    expect(both).toBeGreaterThan(20);
  });

  test.each([{ history_lenght: 5 }, { history_length: 0 }, { write_mode: "new" }, { tables: [{ name: "a" }] }, { $schema: "x" }])(
    "%j is refused",
    (values) => {
      expect(schema.safeParse(values).success).toBe(false);
    },
  );
});

test("variables of the environment: all that the code reads, and none that it does not", () => {
  const read = [...new Set([...sources.matchAll(/process\.env\.([A-Z_]+)/g)].map(([, name]) => name))].sort();
  const told = VARIABLES.filter(({ by }) => by === undefined).flatMap(({ names }) => names);
  const byOthers = VARIABLES.filter(({ by }) => by !== undefined).flatMap(({ names }) => names);
  expect(read.filter((name) => !byOthers.includes(name))).toEqual([...told].sort());
});

test("no reason of rejects is listed that the code does not give", () => {
  for (const reason of [...Object.keys(CELL_REASONS), ...Object.keys(RECORD_REASONS)]) expect(sources).toContain(`"${reason}"`);
});

test("exit codes: those of the classes of errors are told of", () => {
  const codes = [...sources.matchAll(/exitCode = (\d+)/g)].map(([, code]) => Number(code));
  expect(codes.length).toBeGreaterThan(3);
  for (const code of codes) expect(EXITS.map((each) => each.code)).toContain(code);
});

describe("what a build tells has the fields that its schemas have", () => {
  const folder = mkdtempSync(join(tmpdir(), "reference-"));
  const at = (name: string) => join(folder, name);
  afterAll(() => rmSync(folder, { recursive: true }));

  test("--json, --metrics-json, --rejects, the manifest", async () => {
    const said: string[] = [];
    const log = jest.spyOn(console, "log").mockImplementation((text) => void said.push(text));
    try {
      const tables = ["impressions", "clicks", "add_to_carts", "previous_orders"].map((name) => `--${name}=${at(`in/${name}.ndjson`)}`);
      const made = await main(["generate", `--output=${at("in")}`, "--rankings=20", "--actions=300", "--customers=5", "--items=50"]);
      const bad = `{"customer_id":"x","config_id":1,"order_date":"2025-08-01","occurred_at":"2025-08-09 10:00:00"}\n{"customer_id":1,"config_id":1,"order_date":"2025-08-01","occurred_at":"2025-08-09 10:00:00"}\n`;
      appendFileSync(at("in/previous_orders.ndjson"), bad);
      const files = ["rejects", "metrics-json"].map((name) => `--${name}=${at(name)}`);
      const built = await main([
        "build",
        ...tables,
        `--output=${at("out")}`,
        "--json",
        "--quiet",
        "--max-rejects=50%",
        "--threads=1",
        ...files,
      ]);
      expect([made, built]).toEqual([0, 0]);
    } finally {
      log.mockRestore();
    }
    const json = (path: string) => JSON.parse(readFileSync(path, "utf8"));
    const summary = BuildSummary.parse(JSON.parse(said.at(-1)!));
    expect(Figures.parse(json(at("metrics-json"))).late.previous_orders.rows).toBeGreaterThan(0);
    expect(RejectLine.parse(json(at("rejects")))).toMatchObject({ table: "previous_orders", reason: "customer_id: not a 64-bit integer" });
    expect(Manifest.parse(json(summary.manifest!)).rows).toBe(summary.rows);
  });
});
