#!/usr/bin/env node
/**
 * schema.json: what the resources of deploy/terraform may have, by the Google provider's own schema, as the types of the package @cdktf/provider-google
 * have it. That is 30 MB, so the few resources that are used are kept here. To make it anew:
 *
 *     npm pack @cdktf/provider-google@16.12.1 && tar xzf cdktf-provider-google-16.12.1.tgz && node test/terraform/schema.js package
 */
const { readdirSync, readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

const TERRAFORM = join(__dirname, "../../deploy/terraform");
/** Fields of a file of types: the name in Terraform stands in the link of each field's comment. */
const FIELD = /#([a-z0-9_]+) \w+#[a-z0-9_]+\}\n\s*\*\/\n\s*readonly \w+(\??): ([^;]+);/g;

function resourcesUsed() {
  const text = readdirSync(TERRAFORM)
    .filter((name) => name.endsWith(".tf"))
    .map((name) => readFileSync(join(TERRAFORM, name), "utf8"))
    .join("\n");
  return [...new Set([...text.matchAll(/^resource "google_(\w+)"/gm)].map(([, type]) => type))].sort();
}

/** { attribute: { required, block } }; a block is the same again */
function fieldsOf(interfaces, name) {
  return Object.fromEntries(
    [...(interfaces[name] ?? "").matchAll(FIELD)].map(([, attribute, optional, type]) => {
      const inner = type.match(/^[A-Z]\w+/)?.[0];
      const block = inner !== undefined && inner in interfaces ? { block: fieldsOf(interfaces, inner) } : {};
      return [attribute, { required: optional === "", ...block }];
    }),
  );
}

function schemaOf(folder, type) {
  const text = readFileSync(join(folder, "lib", type.replaceAll("_", "-"), "index.d.ts"), "utf8");
  const interfaces = Object.fromEntries(
    [...text.matchAll(/^export interface (\w+)[^{]*\{([\s\S]*?)^\}/gm)].map(([, name, body]) => [
      name,
      body.replaceAll("{\n        [key", "{[key"),
    ]),
  );
  return fieldsOf(
    interfaces,
    Object.keys(interfaces).find((name) => name.endsWith("Config") && text.includes(`config: ${name}`)),
  );
}

const [folder] = process.argv.slice(2);
const version = readFileSync(join(folder, "lib/storage-bucket/index.js"), "utf8").match(/providerVersion: '([^']+)'/)[1];
const resources = Object.fromEntries(resourcesUsed().map((type) => [`google_${type}`, schemaOf(folder, type)]));
writeFileSync(join(__dirname, "schema.json"), `${JSON.stringify({ provider: `hashicorp/google ${version}`, resources })}\n`);
