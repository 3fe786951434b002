import { isGcs, parseUri, refuseOtherServices, uriOf } from "../../../pipeline/gcs/uri";

test.each([
  ["gs://my-bucket/a/b.ndjson", "my-bucket", "a/b.ndjson"],
  ["gs://my-bucket", "my-bucket", ""],
  ["gs://my-bucket/", "my-bucket", ""],
  ["gs://my.bucket_1/a//b?c#d", "my.bucket_1", "a//b?c#d"],
  ["gs://my-bucket/dt=*/x", "my-bucket", "dt=*/x"],
])("%s is bucket %s and name %j", (uri, bucket, name) => expect(parseUri(uri, "clicks")).toEqual({ bucket, name }));

test("an object's name and its URI are the same", () => {
  for (const uri of ["gs://my-bucket/", "gs://my-bucket/a//b", "gs://my-bucket/ü/*"]) expect(uriOf(parseUri(uri, "clicks"))).toBe(uri);
});

test.each([
  "gs://",
  "gs:///a",
  "gs://a/b",
  "gs://my*/b",
  "gs://My-Bucket/b",
  "gs://my-bucket /b",
  "gs://user:pw@my-bucket/b",
  "gs://my-bucket/a\nb",
])("%j is refused, told with its table", (uri) => expect(() => parseUri(uri, "clicks")).toThrow(/^clicks/));

test.each(["/a/b", "a/b", "gs://my-bucket/b", "C:/a", "a:b"])("%s is a path", (path) => refuseOtherServices(path, "clicks"));
test.each(["s3://b/a", "http://h/a", "abfss://c@a/b", "file:///a", "GS://b/a"])("%s is of another service", (path) =>
  expect(() => refuseOtherServices(path, "clicks")).toThrow(`got "${path}"`),
);

test("only gs:// is a bucket's", () => expect(["gs://b", "gs:/b", "a/gs://b", "s3://b"].map(isGcs)).toEqual([true, false, false, false]));
