/** With the key of a service account, to a Dataflow that wants credentials: it is used, and told to nobody. */
const { execFileSync } = require("node:child_process");
const { generateKeyPairSync, verify } = require("node:crypto");
const { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { Refusal } = require("../discovery/rest");
const { backstory, inputsIn, onDataflow, ROOT, startWorld, TABLES, workerImage } = require("./kit");
const { DataflowServer } = require("./server");

const OTTO = join(ROOT, "examples/otto");
/** This machine, by a name for which the command does not do without credentials. */
const HOST = "0.0.0.0";
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const PRIVATE = privateKey.export({ type: "pkcs8", format: "pem" });
const CANARY = "canary-in-the-environment";

let world;
let secure;
let endpoint;
let files;
/** asked before each answer */
let rule = () => {};
beforeAll(async () => {
  const image = await workerImage();
  world = await startWorld({ test: image });
  for (const table of TABLES) await world.put("inputs", `otto/${table}.ndjson`, readFileSync(join(OTTO, `${table}.ndjson`)));
  const folder = mkdtempSync(join(world.folder, "secure-"));
  files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem"), account: join(folder, "account.json") };
  const certificate = [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    "-subj",
    `/CN=${HOST}`,
    "-addext",
    `subjectAltName=IP:${HOST}`,
  ];
  execFileSync("openssl", [...certificate, "-keyout", files.key, "-out", files.cert], { stdio: "ignore", timeout: 60_000 });
  writeFileSync(files.account, JSON.stringify(ACCOUNT));
  secure = new DataflowServer({
    storage: world.storageHost,
    images: () => image,
    folder: join(world.folder, "secure-jobs"),
    before: (asked) => rule(asked),
  });
  mkdirSync(join(world.folder, "secure-jobs"));
  endpoint = await secure.listen(0, { host: HOST, tls: { key: readFileSync(files.key), cert: readFileSync(files.cert) } });
});
afterAll(async () => {
  await secure?.close();
  await world?.stop();
});

const ACCOUNT = {
  type: "service_account",
  project_id: "my-project-123",
  private_key_id: "0123456789abcdef0123456789abcdef01234567",
  private_key: PRIVATE,
  client_email: "submitter@my-project-123.iam.gserviceaccount.com",
  client_id: "100000000000000000001",
  token_uri: "https://oauth2.googleapis.com/token",
};

/** @throws Refusal without a token that the account has signed */
function wantToken({ headers }) {
  const [head, body, signature] = (/^Bearer (.*)$/.exec(headers.authorization ?? "")?.[1] ?? "").split(".");
  if (signature === undefined || !verify("RSA-SHA256", Buffer.from(`${head}.${body}`), publicKey, Buffer.from(signature, "base64url")))
    throw new Refusal("UNAUTHENTICATED", "Request had invalid authentication credentials.");
}

function build(output, flags = []) {
  const args = [...inputsIn("gs://inputs/otto", "ndjson"), `--output=gs://outputs/${output}`, "--dates=2022-08-27..2022-08-28"];
  const env = {
    STORAGE_EMULATOR_HOST: world.storageHost,
    GOOGLE_APPLICATION_CREDENTIALS: files.account,
    NODE_EXTRA_CA_CERTS: files.cert,
    BACKSTORY_CANARY: CANARY,
  };
  return backstory(["build", ...args, ...onDataflow({ endpoint }), ...flags], { env });
}

const secrets = () => [...PRIVATE.split("\n").filter((line) => line.length > 20), CANARY, ...tokens()];
const tokens = () => [...new Set(secure.seen.map(({ headers }) => headers.authorization?.split(" ")[1]).filter(Boolean))];

/** All that anybody could read afterwards, by its name. */
async function everything(run) {
  const found = { "standard output": run.out, "standard error": run.err };
  for (const { record, messages } of secure.jobs) found[`job ${record.id}`] = JSON.stringify([record, messages]);
  for (const name of readdirSync(join(world.folder, "secure-jobs"), { recursive: true }))
    if (/\.(log|sh)$/.test(name)) found[name] = readFileSync(join(world.folder, "secure-jobs", name), "utf8");
  for (const bucket of ["outputs", "temporary"])
    for (const name of await world.names(bucket)) found[`${bucket}/${name}`] = (await world.get(bucket, name)).toString("latin1");
  return found;
}

async function expectNoSecretIn(run) {
  const texts = await everything(run);
  const telling = Object.keys(texts).filter((name) => secrets().some((secret) => texts[name].includes(secret)));
  expect(telling).toEqual([]);
  return texts;
}

test("a job with everything told: no secret in any of it", async () => {
  rule = wantToken;
  const run = await build("secret", ["--debug"]);
  expect(run).toMatchObject({ code: 0 });
  expect(tokens()).not.toEqual([]);
  const names = Object.keys(await expectNoSecretIn(run));
  for (const kind of [/^job /, /prism\.log$/, /_manifests/, /_SUCCESS$/]) expect(names.some((name) => kind.test(name))).toBe(true);
});

test.each([
  ["401", new Refusal("UNAUTHENTICATED", "Request had invalid authentication credentials."), "credentials"],
  ["403", new Refusal("PERMISSION_DENIED", "The caller does not have permission"), "roles/dataflow.developer"],
])("refused with %s: nor in that", async (_, refusal, remedy) => {
  rule = ({ id }) => {
    if (id.endsWith(".create")) throw refusal;
  };
  const run = await build("refused", ["--debug"]);
  expect(run.code).toBe(2);
  expect(run.err).toContain(remedy);
  await expectNoSecretIn(run);
  expect([await world.names("temporary"), await world.names("outputs", "refused/")]).toEqual([[], []]);
});
