import fc from "fast-check";
import { thousands } from "../../pipeline/thousands";

test("thousands: a whole number as Intl writes it", () =>
  fc.assert(fc.property(fc.maxSafeInteger(), (n) => expect(thousands(n)).toBe(n.toLocaleString("en")))));
