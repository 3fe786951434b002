import fc from "fast-check";
import { instantOf, microsOf, parseManifest, parseMarker } from "../../pipeline/manifest";

const micros = fc
  .integer({ min: Date.UTC(1700, 0, 1), max: Date.UTC(2200, 0, 1) - 1 })
  .chain((ms) => fc.nat(999).map((us) => ms * 1000 + us));

test("instantOf names every microsecond of the years 1700 to 2199, and microsOf gives it back", () =>
  fc.assert(
    fc.property(micros, (at) => {
      expect(instantOf(at)).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/);
      expect(microsOf(instantOf(at))).toBe(at);
    }),
  ));

test("instantOf, by hand", () => {
  expect(instantOf(0)).toBe("1970-01-01T00:00:00.000000Z");
  expect(instantOf(-1)).toBe("1969-12-31T23:59:59.999999Z");
});

test.each([
  ["", "is no manifest: it is not JSON."],
  ["[]", "is no manifest of this version: all of it is not as it should be"],
  ["{}", "is no manifest of this version: manifest is not as it should be"],
  ['{"manifest":1}', "is no manifest of this version: run is missing."],
  ['{"manifest":2}', "is no manifest of this version: manifest is not as it should be"],
])("%j is no manifest, and the message says where it ends to be one", (text, why) =>
  expect(() => parseManifest(text, "m.json")).toThrow(`"m.json" ${why}`),
);

test.each([
  ["", undefined],
  ["{}", undefined],
  ['{"runs":["../x"]}', undefined],
  ['{"runs":["a"]}', { runs: ["a"] }],
])("the marker %j", (text, marker) => expect(parseMarker(text)).toEqual(marker));
