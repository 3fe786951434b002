/** What the package has besides code, made at the end of its build: man pages, and the schema of configuration files. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describedCommands } from "../cli";
import { configSchema } from "./configschema";
import { manPages } from "./man";

async function write(folder: string): Promise<void> {
  const man = join(folder, "man");
  rmSync(man, { recursive: true, force: true });
  mkdirSync(man, { recursive: true });
  for (const [name, text] of manPages(await describedCommands())) writeFileSync(join(man, name), text);
  writeFileSync(join(folder, "config.schema.json"), `${JSON.stringify(configSchema(), null, 2)}\n`);
}

if (require.main === module) void write(join(__dirname, "../.."));
