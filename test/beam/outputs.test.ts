import { Named, Value, Values } from "../../beam/elements";
import { outputs } from "../../beam/outputs";
import { collect, given } from "./collect";

test("outputs sends each element to the output of its name", async () => {
  const elements = [{ numbers: 1 }, { texts: "a" }, { numbers: 2 }];
  const found = await collect<{ numbers: number; texts: string }>((root) =>
    given(root, elements).apply(outputs<{ numbers: number; texts: string }>(["numbers", "texts"])),
  );
  expect(found).toEqual({ numbers: [1, 2], texts: ["a"] });
});

test("an element for an output that nobody named fails the run", async () => {
  const run = collect((root) => given(root, [{ other: 1 }]).apply(outputs<{ numbers: number }>(["numbers"]) as never) as never);
  await expect(run).rejects.toThrow("other");
});

test("Value, Values and Named", () => {
  expect([...new Value<string>().process({ key: 1, value: "v" })]).toEqual(["v"]);
  expect([...new Values<string>().process({ key: 1, value: ["v", "w"] })]).toEqual(["v", "w"]);
  expect([...new Named<object>("file").process(7)]).toEqual([{ file: 7 }]);
});
