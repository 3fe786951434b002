import { inspect } from "node:util";
import { ConfigError } from "../../../pipeline/errors";
import { listing, mayPass, Refused, reading, StorageError, told, writing } from "../../../pipeline/gcs/errors";

const URI = "gs://bucket/a";
const failed = (fields: object, message = "") => Object.assign(new Error(message), fields);

test.each<[string, unknown, string, boolean]>([
  ["an unknown status", new Refused(418, ""), "Cloud Storage answers 418. Run it again later.", false],
  ["a busy service", new Refused(503, ""), "Cloud Storage answers 503, again and again.", false],
  [
    "a permission that is named",
    new Refused(403, "x does not have storage.buckets.get access"),
    "permission storage.buckets.get (403)",
    true,
  ],
  ["one that is not", new Refused(403, ""), "permission storage.objects.get (403)", true],
  ["an object that is not there", new Refused(404, ""), "there is no such object (404)", true],
  ["a requester who pays", new Refused(400, "requester pays bucket but no user project"), "GOOGLE_CLOUD_QUOTA_PROJECT", true],
  ["a host that is not known", failed({ code: "ENOTFOUND" }), "failed (ENOTFOUND)", false],
  ["a cause", failed({ cause: { code: "ECONNREFUSED" } }), "failed (ECONNREFUSED)", false],
])("%s", (_, error, message, mended) => {
  const said = told(error, reading(URI));
  expect(said.message).toContain(message);
  expect(said.message).toContain(`cannot read "${URI}"`);
  expect(said).toBeInstanceOf(mended ? ConfigError : StorageError);
});

test("permissions follow from what was tried", () => {
  expect(told(new Refused(403, ""), listing(URI)).message).toContain("storage.objects.list");
  expect(told(new Refused(403, ""), writing(URI)).message).toContain("storage.objects.create (403). Grant it roles/storage.objectUser");
});

test.each([
  "Could not load the default credentials. Browse to https://cloud.google.com/docs/authentication",
  "invalid_grant",
  "anything else",
])("what errors of requests carry is not handed on: %s", (message) => {
  const config = { headers: { Authorization: "Bearer ya29.secret" }, url: "http://user:secret@proxy" };
  const error = failed({ code: "ENOTFOUND", config, response: { config, data: "secret" }, cause: failed({ config }) }, `${message} secret`);
  expect(inspect(told(error, reading(URI)), { depth: 20, showHidden: true })).not.toContain("secret");
});

test("what may pass is tried again, what cannot is not", () => {
  for (const code of [408, 429, 500, 502, 503, 504, "ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN", "ECUT"])
    expect(mayPass(failed({ code }))).toBe(true);
  for (const code of [400, 401, 403, 404, 412, "ENOTFOUND", "CERT_HAS_EXPIRED", "ERR_TLS_CERT_ALTNAME_INVALID", undefined])
    expect(mayPass(failed({ code }))).toBe(false);
});
