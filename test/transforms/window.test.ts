import { applyWindow, Window, type WindowedActions } from "../../transforms/bounds";
import { DAY_MICROS } from "../../transforms/calendar";
import { DEFAULT_RULES } from "../../transforms/rules";
import { ApplyWindow, withinWindow } from "../../transforms/window";
import { collect, given } from "../beam/collect";
import { actionBatch, SOME_DAY } from "./plain";

const rules = { ...DEFAULT_RULES, days: [SOME_DAY] };
const action = (day: number) => ({ customer: 1n, item: 2n, time: day * DAY_MICROS, type: 1, ownDay: 0 });
const batches = [
  { key: 7, value: actionBatch([action(SOME_DAY - 1), action(SOME_DAY)]) },
  { key: 3, value: actionBatch([action(SOME_DAY)]) },
];
const windowed = batches.map(({ key, value }) => ({ key, value: applyWindow(value, new Window(rules)) }));

test("the DoFn does to each batch what applyWindow does", () => {
  const doFn = new ApplyWindow(rules);
  doFn.startBundle();
  expect(batches.flatMap((batch) => [...doFn.process(batch)])).toEqual(windowed);
});

test("withinWindow: one batch in, one batch out, under its bucket", async () => {
  const { out } = await collect<{ out: { key: number; value: WindowedActions } }>((root) => ({
    out: given(root, batches).apply(withinWindow(rules)),
  }));
  expect(out).toEqual(windowed);
});
