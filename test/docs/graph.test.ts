/** The picture of the pipeline in docs/. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { runnerApi } from "../../beam/sdk";
import { graphOf, smallPlan } from "../graphs";

// Jest's Uint8Array is of another realm than its Object; fast-deep-equal, by which the SDK knows equal coders, would call any two different.
jest.mock("fast-deep-equal", () => jest.requireActual("node:util").isDeepStrictEqual);

jest.setTimeout(30_000);

const { draw } = require("../../docs/graph") as { draw(pipeline: runnerApi.Pipeline): Promise<string> };

test("docs/graph.svg is the pipeline as it is submitted; npm run docs:graph draws it anew", async () => {
  const { folder, plan } = await smallPlan();
  rmSync(folder, { recursive: true });
  const drawn = await draw(graphOf(plan));
  expect(drawn).toContain("CombinePerKey");
  expect(readFileSync(join(__dirname, "../../docs/graph.svg"), "utf8")).toBe(drawn);
});
