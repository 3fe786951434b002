/** What deploy/terraform asks for, without a cloud: form, references, the provider's schema, and the least of rights. */
const { execFileSync } = require("node:child_process");
const { readdirSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const { hcl2json, hclfmt } = require("./install");
const schema = require("./schema.json");

const FOLDER = join(__dirname, "../../deploy/terraform");
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith(".tf"));
const textOf = (name) => readFileSync(join(FOLDER, name), "utf8");
const ALL = FILES.map(textOf).join("\n");

/** Each role that may be granted, where, and to whom at most. A new one has to be argued for here too. */
const ROLES = {
  "roles/dataflow.worker": { on: "project" },
  "roles/dataflow.developer": { on: "project" },
  "roles/dataflow.viewer": { on: "project" },
  "roles/bigquery.jobUser": { on: "project" },
  "roles/composer.worker": { on: "project" },
  "roles/run.viewer": { on: "project" },
  "roles/storage.objectViewer": { on: "bucket" },
  "roles/storage.objectUser": { on: "bucket" },
  "roles/storage.legacyBucketReader": { on: "bucket" },
  "roles/iam.serviceAccountUser": { on: "service account" },
  "roles/artifactregistry.reader": { on: "repository" },
  "roles/bigquery.dataEditor": { on: "dataset" },
  "roles/bigquery.dataViewer": { on: "dataset" },
  "roles/run.jobsExecutorWithOverrides": { on: "job" },
};

/** Files as data: block type, type, name, [content]. */
let parsed;
let resources;

beforeAll(async () => {
  const { parse } = require(hcl2json);
  parsed = Object.fromEntries(await Promise.all(FILES.map(async (name) => [name, await parse(name, textOf(name))])));
  resources = Object.values(parsed).flatMap(({ resource = {} }) =>
    Object.entries(resource).flatMap(([type, named]) => Object.entries(named).map(([name, [body]]) => ({ type, name, body }))),
  );
});

const named = (kind) => Object.values(parsed).flatMap((file) => Object.keys(file[kind] ?? {}));

test.each([...FILES, "terraform.tfvars.example"])("%s is formatted", (name) => {
  expect(execFileSync(hclfmt, [join(FOLDER, name)], { encoding: "utf8" })).toBe(textOf(name));
});

test("what is referred to is there, and what is there is used", () => {
  const locals = Object.values(parsed).flatMap(({ locals = [] }) => locals.flatMap(Object.keys));
  const used = (pattern) => new Set([...ALL.matchAll(pattern)].map(([, name]) => name));
  expect([...used(/\bvar\.(\w+)/g)].sort()).toEqual(named("variable").sort());
  expect([...used(/\blocal\.(\w+)/g)].sort()).toEqual([...new Set(locals)].sort());
  const there = new Set(resources.map(({ type, name }) => `${type}.${name}`));
  for (const [, reference] of ALL.matchAll(/(?<![\w".])(google_\w+\.\w+)/g)) expect([...there]).toContain(reference);
  const example = textOf("terraform.tfvars.example");
  for (const [, name] of example.matchAll(/^#? ?(\w+) +=/gm)) expect(named("variable")).toContain(name);
});

test("each variable says what it is for, has a type, and refuses what cannot work", () => {
  const variables = Object.values(parsed).flatMap(({ variable = {} }) => Object.entries(variable));
  for (const [name, [{ description, type, validation }]] of variables) {
    expect([name, description, type]).toEqual([name, expect.stringMatching(/\.$/), expect.any(String)]);
    if (!type.includes("bool")) expect([name, validation?.[0].error_message]).toEqual([name, expect.stringMatching(/\.$/)]);
  }
});

test("each output says what it is for", () => {
  for (const [name, [{ description }]] of Object.values(parsed).flatMap(({ output = {} }) => Object.entries(output)))
    expect([name, description]).toEqual([name, expect.stringMatching(/\.$/)]);
});

const META = ["for_each", "count", "depends_on", "lifecycle", "provider"];

/** Attributes that the provider does not know, and those that it wants and that are missing. */
function faults(body, known, where) {
  const unknown = Object.keys(body).filter((key) => !(key in known) && !META.includes(key));
  const missing = Object.keys(known).filter((key) => known[key].required && !(key in body));
  const inner = Object.entries(body).flatMap(([key, value]) => {
    const block = known[key]?.block;
    const isBlock = block !== undefined && Array.isArray(value);
    return isBlock ? value.flatMap((each) => faults(each, block, `${where}.${key}`)) : [];
  });
  return [...unknown.map((key) => `${where} has no ${key}`), ...missing.map((key) => `${where} lacks ${key}`), ...inner];
}

test(`resources are as the schema of ${schema.provider} has them`, () => {
  for (const { type, name, body } of resources) expect(faults(body, schema.resources[type], `${type}.${name}`)).toEqual([]);
});

test("the schema is used: a wrong attribute, a missing one and a wrong one within a block are found", () => {
  const known = schema.resources.google_storage_bucket;
  expect(faults({ name: "a", locaton: "b" }, known, "bucket")).toEqual(["bucket has no locaton", "bucket lacks location"]);
  const rule = { name: "a", location: "b", lifecycle_rule: [{ action: [{ type: "Delete" }], condition: [{ days: 1 }] }] };
  expect(faults(rule, known, "bucket")).toEqual(["bucket.lifecycle_rule.condition has no days"]);
});

describe("rights", () => {
  const lines = FILES.flatMap((name) =>
    textOf(name)
      .split("\n")
      .map((line, i, all) => ({ where: `${name}:${i + 1}`, line, before: all[i - 1] ?? "" })),
  );
  const granted = lines.flatMap((each) => [...each.line.matchAll(/"(roles\/[\w.]+)"/g)].map(([, role]) => ({ ...each, role })));

  test("each role is one of the list, and each of the list is granted", () => {
    expect([...new Set(granted.map(({ role }) => role))].sort()).toEqual(Object.keys(ROLES).sort());
    for (const role of Object.keys(ROLES)) expect(role).not.toMatch(/owner|editor|[aA]dmin/);
  });

  test("each role has its reason in a comment above it", () => {
    for (const { where, role, before } of granted)
      expect([where, role, before.trim()]).toEqual([where, role, expect.stringMatching(/^# \w.{5,}/)]);
  });

  const WHERE = {
    google_project_iam_member: "project",
    google_storage_bucket_iam_member: "bucket",
    google_service_account_iam_member: "service account",
    google_artifact_registry_repository_iam_member: "repository",
    google_bigquery_dataset_iam_member: "dataset",
    google_cloud_run_v2_job_iam_member: "job",
  };

  test("roles are granted on no more than they are meant for, to accounts of these files only, and to nobody else's loss", () => {
    const locals = Object.assign({}, ...Object.values(parsed).flatMap(({ locals = [] }) => locals));
    const within = (value) => JSON.stringify(value).match(/roles\/[\w.]+/g) ?? [];
    for (const role of within(locals.project_roles)) expect([role, ROLES[role].on]).toEqual([role, "project"]);
    for (const role of within(locals.bucket_roles)) expect([role, ROLES[role].on]).toEqual([role, "bucket"]);
    for (const { type, name, body } of resources.filter(({ type }) => type.includes("_iam_"))) {
      // _member adds; _binding and _policy take away from others
      expect([type, WHERE[type]]).toEqual([type, expect.any(String)]);
      for (const role of within(body.role)) expect([name, role, ROLES[role].on]).toEqual([name, role, WHERE[type]]);
      expect([name, body.member]).toEqual([name, expect.stringMatching(/local\.(worker|launchers|composer)|each\.value/)]);
    }
    expect(ALL).not.toMatch(/allUsers|allAuthenticatedUsers|google_service_account_key/);
  });

  test("only temporary objects are deleted, and uploads that were never finished", () => {
    for (const { name, body } of resources.filter(({ type }) => type === "google_storage_bucket")) {
      expect(body).toMatchObject({ uniform_bucket_level_access: true, public_access_prevention: "enforced" });
      expect(body).not.toHaveProperty("force_destroy");
      const actions = body.lifecycle_rule.map(({ action }) => action[0].type).sort();
      expect([name, actions]).toEqual([
        name,
        name === "temp" ? ["AbortIncompleteMultipartUpload", "Delete"] : ["AbortIncompleteMultipartUpload"],
      ]);
    }
  });
});

test("the README names every variable and output", () => {
  const readme = readFileSync(join(FOLDER, "README.md"), "utf8");
  for (const name of [...named("variable"), ...named("output")]) expect(readme).toContain(`\`${name}\``);
});
