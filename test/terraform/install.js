#!/usr/bin/env node
/** Installs what reads and formats Terraform's files into .cache/terraform/: hcl2json by npm, hclfmt by Go. Versions and checksums are pinned. */
const { execFileSync } = require("node:child_process");
const { copyFileSync, existsSync, mkdirSync } = require("node:fs");
const { join } = require("node:path");

const HOME = join(__dirname, "../../.cache/terraform");
const FORMATTER = {
  name: "hclfmt",
  module: "github.com/hashicorp/hcl/v2",
  version: "v2.25.0",
  sum: "h1:HmmQVYRny4MaBo4b20TjmL46wyuUxpnMWkPZ4+NTbWk=",
  program: "/cmd/hclfmt",
};
const hclfmt = join(HOME, `hclfmt-${FORMATTER.version}`, "hclfmt");
const hcl2json = join(HOME, "node_modules/@cdktf/hcl2json");

async function install() {
  mkdirSync(HOME, { recursive: true });
  for (const file of ["package.json", "package-lock.json"]) copyFileSync(join(__dirname, file), join(HOME, file));
  const flags = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  if (!existsSync(hcl2json)) execFileSync("npm", flags, { cwd: HOME, timeout: 300_000, stdio: ["ignore", "ignore", "inherit"] });
  if (!existsSync(hclfmt)) await require("../../dist/pipeline/runners/gobuild").buildWithGo(FORMATTER, hclfmt);
  console.log(`${hcl2json}\n${hclfmt}`);
}

module.exports = { hcl2json, hclfmt };
if (require.main === module)
  install().catch((error) => {
    console.error(`${error.message} This suite wants npm, and Go 1.26 or newer (https://go.dev/dl).`);
    process.exitCode = 1;
  });
