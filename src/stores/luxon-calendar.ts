/** Time zones as luxon knows them, from the database that comes with Node's ICU. */

import { IANAZone } from "luxon";
import type { LocalCalendar } from "../domain/windows/local-calendar.ts";

/**
 * Clocks that agree at both ends of this stretch run evenly between: two changes were never, and are in no rule, closer
 * than 6.9 days (IANA data 2026f, all zones).
 */
const PROBE_MS = 4 * 86_400_000;

export const luxonCalendar: LocalCalendar = {
  utcOffset(timezone, at) {
    const zone = IANAZone.create(timezone);
    if (!zone.isValid) throw new RangeError(`unknown time zone: ${timezone}`);
    const ahead = zone.offset(at);
    return { offsetMs: ahead * 60_000, until: firstOtherwise(zone, ahead, at) };
  },
};

/** The first instant after `at`, to the millisecond, at which clocks differ; the end of the probe when none does. */
function firstOtherwise(zone: IANAZone, ahead: number, at: number): number {
  let even = at;
  let until = at + PROBE_MS;
  if (zone.offset(until) === ahead) return until;
  while (until - even > 1) {
    const middle = Math.floor((even + until) / 2);
    if (zone.offset(middle) === ahead) even = middle;
    else until = middle;
  }
  return until;
}
