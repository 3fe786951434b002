import { main } from "../../examples/library/train";

test("the library example prints the histories of its customer, without the click of the day itself", async () => {
  const log = jest.spyOn(console, "log").mockImplementation(() => {});
  await main();
  const printed = log.mock.calls.map(([line]) => line);
  log.mockRestore();
  expect(printed).toEqual([
    "2025-08-16 customer 7 item 12: 13(2) 13(1) 12(1) 11(3)",
    "2025-08-16 customer 7 item 30: 13(2) 13(1) 12(1) 11(3)",
  ]);
});
