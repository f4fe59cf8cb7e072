/** `LuxonCalendar`: time zones by luxon, from the data in Node's ICU. */

import { IANAZone } from "luxon";
import type { LocalCalendar } from "../domain/windows/local-calendar.ts";

/**
 * Equal UTC offsets at both ends of this interval imply no change within it: no two changes of a zone are closer than
 * 6.9 days (IANA data 2026f, all zones).
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

/** The first instant after `at`, to the millisecond, with another UTC offset; the end of the probe when there is none. */
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
