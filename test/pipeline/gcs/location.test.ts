import { isNear } from "../../../pipeline/gcs/location";

test.each([
  ["EUROPE-WEST1", "europe-west1", true],
  ["EU", "europe-west1", true],
  ["US", "us-central1", true],
  ["ASIA", "asia-east1", true],
  ["EUR4", "europe-west4", true],
  ["US", "europe-west1", false],
  ["EUROPE-WEST1", "europe-west4", false],
  ["US-CENTRAL1", "europe-west1", false],
])("a bucket in %s, workers in %s: near is %s", (location, region, near) => {
  expect(isNear(location, region)).toBe(near);
});
