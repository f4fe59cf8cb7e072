/** Faults of windows of the right shape: times, dates and zones that make no sense. */

import type { Fault } from "../errors.ts";
import type { OpenWindow, Windows } from "../job-spec.ts";

/** Bounds well above any realistic job: every query costs time in proportion to them. */
const MAX_WINDOWS = 100;
const MAX_CLOSED = 1000;

/** Every fault of `windows`, with pointers into the job. */
export function windowFaults({ timezone, open, closed, stages }: Windows): Fault[] {
  const faults: Fault[] = [];
  const wrong = (pointer: string, message: string) =>
    faults.push({ pointer: `/windows/${pointer}`, message });
  if (!isTimeZone(timezone)) {
    wrong("timezone", `unknown time zone ${JSON.stringify(timezone)}; use an IANA name, e.g. Africa/Cairo`);
  }
  if (open.length === 0) wrong("open", "no window: the job would never work; name one, or remove windows");
  if (open.length > MAX_WINDOWS) wrong("open", `more than ${MAX_WINDOWS} windows`);
  if (closed.length > MAX_CLOSED) wrong("closed", `more than ${MAX_CLOSED} dates`);
  if (stages.length === 0) wrong("stages", "binds no stage; name one, or remove windows");
  return [...faults, ...open.flatMap(openingFaults), ...closedFaults(closed)];
}

function openingFaults({ days, from, to }: OpenWindow, index: number): Fault[] {
  const pointer = `/windows/open/${index}`;
  const faults: Fault[] = [];
  if (days.length === 0) {
    faults.push({ pointer: `${pointer}/days`, message: "names no day: the window would never open" });
  }
  if (from === to) {
    faults.push({ pointer, message: "from and to are the same: use 00:00 to 24:00 for all day" });
  }
  if (from === "24:00") {
    faults.push({ pointer: `${pointer}/from`, message: "a window cannot begin at 24:00; use 00:00" });
  }
  return faults;
}

function closedFaults(closed: readonly string[]): Fault[] {
  return closed.flatMap((date, i) => {
    const pointer = `/windows/closed/${i}`;
    if (!isDate(date)) return [{ pointer, message: "not a date of the calendar" }];
    const first = closed.indexOf(date);
    if (first === i) return [];
    return [
      { pointer, message: `${date} is named twice, as /windows/closed/${first} too; was another meant?` },
    ];
  });
}

function isDate(text: string): boolean {
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}
