import type { List } from "../../compare/histories";
import { type Reason, reasonFor } from "../../compare/reasons";

/** "7c 5o" are a click on 7 and an order of 5; "." is padding; "@9" behind an action is its time. */
function list(text: string): List {
  const codes: Record<string, number> = { ".": 0, c: 1, a: 2, o: 3, x: 9 };
  const words = text.split(" ").filter((word) => word !== "");
  const times = words.map((word) => BigInt(/@(\d+)/.exec(word)?.[1] ?? 0));
  return {
    items: words.map((word) => BigInt(/^\d+/.exec(word)?.[0] ?? 0)),
    types: words.map((word) => codes[word.replace(/^\d+|@\d+$/g, "")]),
    times: text.includes("@") ? times : null,
  };
}

// biome-ignore format: a table
test.each<[Reason, number, string, string]>([
  ["other values",      -1, "1c 2c .",             "1c 2c ."],
  ["padding side",       0, "1c 2c .",             ". 1c 2c"],
  ["padding length",     2, "1c 2c . .",           "1c 2c"],
  ["oldest first",       0, "1c 2c 3o .",          "3o 2c 1c ."],
  ["oldest first",       0, "1c 2c 3o .",          ". 3o 2c 1c"],
  ["history length",     2, "1c 2c",               "1c 2c 3c"],
  ["lookback boundary",  2, "1c 2c . .",           "1c 2c 3c ."],
  ["lookback boundary",  0, ". .",                 "3c ."],
  ["tie order",          1, "1c@5 2c@4 3c@4 4c@3", "1c@5 3c@4 2c@4 4c@3"],
  ["another order",      1, "1c@5 2c@4 3c@3 4c@2", "1c@5 3c@3 2c@4 4c@2"],
  ["tie order",          1, "1c 2c 3c 4c .",       "1c 3c 2c 4c ."],
  ["tie order",          0, "1c 2c 3c 4c 5c",      "2c 1c 3c 5c 4c"],
  ["type codes",         0, "1c 2a .",             "1a 2x ."],
  ["duplicates",         1, "1c 1c 2c . .",        "1c 2c . . ."],
  ["duplicates",         2, "1c 2c 1c 3c .",       "1c 2c 3c . ."],
  ["order time",         0, "5o 1c 2c .",          "1c 5o 2c ."],
  ["order time",         1, "1c 5o 2c .",          "1c 2c . ."],
  ["order time",         1, "1c 5o 2c",            "1c 2c 3c"],
  ["inclusive cutoff",   0, "7o 1c 2c .",          "1c 2c . ."],
  ["inclusive cutoff",   0, "8o 7o 1c 2c",         "1c 2c 3c 4o"],
  ["inclusive cutoff",   0, "8c@900000000 7o@900000000 1c@8 .", "1c@8 . . ."],
  ["newer actions",      0, "8c@900000001 1c@8 .", "1c@8 . ."],
  ["time zone",          0, "9c 1c 2c . .",        "1c 2c 3c 4c ."],
  ["tie order",          2, "1c 2c 3c",            "1c 2c 4c"],
  ["newer actions",      0, "9c 8c 1c 2c .",       "1c 2c . . ."],
  ["newer actions",      0, "1c 2c 3c",            "9c 1c 2c"],
  ["newer actions",      0, "5c 1c 5c 1c 2c",      "1c 5c 1c 5c 1c"],
  ["duplicates",         1, "1c 1c 2c 1c",         "1c 2c 1c 7c"],
  ["padding length",     0, ". .",                 ""],
  ["actions missing",    1, "1c 2c 3c .",          "1c 3c . ."],
  ["actions missing",    1, "1c 2c 3c",            "1c 3c 4c"],
  ["other items",        1, "1c 2c 3c .",          "1c 7c 3c ."],
])("%s, position %s: %s | %s", (reason, position, here, there) => {
  expect(reasonFor(list(here), list(there))).toMatchObject({ reason, position });
  expect(reasonFor(list(there), list(here)).reason).toBe(reason);
});

// biome-ignore format: a table
test.each<["here" | "there" | null, string, string]>([
  ["here",  "9c 1c .",     "1c . ."],
  ["there", "1c . .",      "1c 3o ."],
  ["here",  "9c 1c 2c .",  "1c 2c 3c ."],
  ["here",  "1c 2c",       "2c 3c"],
  [null,    "1c 2c .",     "2c 1c ."],
  [null,    "1c 2c .",     ". 1c 2c"],
  [null,    "1c 2c .",     "1c 7c ."],
])("%s has more: %s | %s", (more, here, there) => {
  expect(reasonFor(list(here), list(there)).more).toBe(more);
  expect(reasonFor(list(there), list(here)).more).toBe(more === null ? null : more === "here" ? "there" : "here");
});

test("a list without padding has lost its end only where others of its side are no longer", () => {
  const [here, there] = [list("1c 2c"), list("1c 2c 3c")];
  expect(reasonFor(here, there, [2, 5]).reason).toBe("history length");
  expect(reasonFor(here, there, [5, 5]).reason).toBe("lookback boundary");
});

test("without types, items tell what is padding, and types are no difference", () => {
  const [here, there] = [list("1c 2c ."), { ...list(". 1c 2c"), types: null }];
  expect(reasonFor(here, there)).toMatchObject({ reason: "padding side", position: 0 });
  expect(reasonFor(here, { ...here, types: null })).toEqual({ reason: "other values", position: -1, more: null });
});
