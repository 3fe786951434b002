import fc from "fast-check";
import { JOB_NAME, jobNameOf } from "../../../../pipeline/runners/dataflow/name";

test.each([
  [["gs://b/data/training", "2025-08-03..2025-08-16", undefined], /^backstory-training-20250803-20250816-[0-9a-f]{8}$/],
  [["gs://b/Training_Inputs/", "2025-08-16", undefined], /^backstory-training-inputs-20250816-[0-9a-f]{8}$/],
  [["gs://b", undefined, 7], /^backstory-b-[0-9a-f]{8}$/],
  [["gs://b/___", undefined, undefined], /^backstory-[0-9a-f]{8}$/],
] as const)("%j", ([output, dates, trainDays], wanted) => {
  expect(jobNameOf(output, dates, trainDays)).toMatch(wanted);
});

test("the same for the same output and days, also with a slash more; another for others", () => {
  const name = jobNameOf("gs://b/out", "2025-08-16", undefined);
  expect(jobNameOf("gs://b/out/", "2025-08-16", undefined)).toBe(name);
  for (const other of [jobNameOf("gs://c/out", "2025-08-16", undefined), jobNameOf("gs://b/out", "2025-08-17", undefined)])
    expect(other).not.toBe(name);
  expect(jobNameOf("gs://b/out", undefined, 3)).not.toBe(jobNameOf("gs://b/out", undefined, 4));
});

test("whatever the output is called, the name is one that Dataflow takes", () =>
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.constantFrom(undefined, "2025-08-16", "2025-08-03..2025-08-16"), (path, dates) => {
      expect(jobNameOf(`gs://bucket/${path}`, dates, undefined)).toMatch(JOB_NAME);
    }),
  ));
