/** Wall clocks by nothing but formatting instants and looking for the one that fits: the slow twin of transforms/calendar.ts. */
const formats = new Map<string, Intl.DateTimeFormat>();
const STEP_MICROS = 15 * 60e6;
const DAY_MICROS = 86_400e6;

/** What the wall clock of a zone shows at an instant, as microseconds since 1970-01-01T00:00:00 on the wall. */
export function wallOf(zone: string, micros: number): number {
  let format = formats.get(zone);
  if (format === undefined) {
    const two = "2-digit";
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: two,
      day: two,
      hour: two,
      minute: two,
      second: two,
    });
    formats.set(zone, format);
  }
  const seconds = Math.floor(micros / 1e6);
  const part = Object.fromEntries(format.formatToParts(seconds * 1000).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) * 1000 + (micros - seconds * 1e6);
}

/** The first instant at which the wall clock shows `day` or a later day. */
export function naiveDayStart(zone: string, day: number): number {
  const begun = (micros: number): boolean => wallOf(zone, micros) >= day * DAY_MICROS;
  let t = day * DAY_MICROS - 27 * 3600e6;
  while (!begun(t)) t += STEP_MICROS;
  let before = t - STEP_MICROS;
  while (t - before > 1e6) {
    const middle = before + Math.floor((t - before) / 2e6) * 1e6;
    if (begun(middle)) t = middle;
    else before = middle;
  }
  return t;
}

/** The first instant at which the wall clock shows `wall`; if none does, `wall` by the offset in force before the gap. */
export function naiveInstant(zone: string, wall: number): number {
  const found: number[] = [];
  let offsetBefore = 0;
  let past = false;
  for (let t = wall - 27 * 3600e6; t <= wall + 27 * 3600e6; t += STEP_MICROS) {
    const shown = wallOf(zone, t);
    past ||= shown > wall;
    if (!past) offsetBefore = shown - t;
    const candidate = wall - (shown - t);
    if (wallOf(zone, candidate) === wall) found.push(candidate);
  }
  return found.length > 0 ? Math.min(...found) : wall - offsetBefore;
}
