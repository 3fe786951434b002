import { dayAt, NO_DAY } from "../../../pipeline/scan/times";
import { dayName, END_DAY, epochDay, FIRST_DAY } from "../../../transforms/calendar";

const read = (text: string) => dayAt(new DataView(Uint8Array.from(Buffer.from(`${text}        `)).buffer), 0);

test("every day is the one that its name says, and no other date is a day", () => {
  const wrong: string[] = [];
  for (let day = FIRST_DAY; day < END_DAY; day++) if (read(dayName(day)) !== day) wrong.push(dayName(day));
  for (let year = 1699; year <= 2200; year++)
    for (let month = 0; month <= 13; month++)
      for (const date of [0, 1, 28, 29, 30, 31, 32]) {
        const text = [year, String(month).padStart(2, "0"), String(date).padStart(2, "0")].join("-");
        if (read(text) !== (epochDay(year, month, date) ?? NO_DAY)) wrong.push(text);
      }
  expect(wrong).toEqual([]);
});
