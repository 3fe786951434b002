import fc from "fast-check";
import { packed, unpacked, withoutPacked } from "../../beam/failure";
import { ConfigError, PublishError } from "../../pipeline/errors";
import { BrokenFile } from "../../pipeline/io/rows";

const textOf = (error: unknown): string => (packed(error) as Error).stack!;

test("whatever a runner writes around the text of an error, its name, message and exit code come back", () =>
  fc.assert(
    fc.property(fc.string(), fc.nat(255), fc.string(), fc.string(), (message, exitCode, before, after) => {
      const text = `${before}\n${textOf(new PublishError(message, exitCode))}\n${after}`;
      fc.pre(!before.includes("backstory-failure"));
      expect(unpacked(JSON.stringify(text))).toEqual({ name: "PublishError", message, exitCode });
      expect(withoutPacked(text)).not.toContain("backstory-failure");
    }),
  ));

test.each([
  [new ConfigError("no"), 2],
  [new PublishError("too many", 3), 3],
  [new BrokenFile("cut short"), 3],
])("%s", (error, exitCode) => {
  expect(unpacked(textOf(error))).toMatchObject({ name: error.name, message: error.message, exitCode });
  expect(textOf(error)).toMatch(error.message);
});

test("the system's code comes back too", () => {
  expect(unpacked(textOf(Object.assign(new Error("full"), { code: "ENOSPC" })))).toEqual({
    name: "Error",
    message: "full",
    code: "ENOSPC",
  });
});

test("an error is packed once, and one without an exit code stays as it is", () => {
  const error = new ConfigError("no");
  expect(textOf(packed(error))).toBe(textOf(error));
  expect(textOf(new RangeError("bug"))).not.toContain("backstory-failure");
  expect(packed("thrown")).toBe("thrown");
});

test.each(["", "backstory-failure:", "backstory-failure:e30x", "some other error"])("there is none in %j", (text) => {
  expect(unpacked(text)).toBeUndefined();
});
