/** Formats numbers for terminals: counts with separators, bytes, durations, times of day. */

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** `1234567` as `1,234,567`. */
export function humanCount(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** `count` and its noun, `1 row`, `2 rows`. */
export function counted(count: number, noun: string): string {
  return `${humanCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Bytes in powers of 1,000 with three digits: `999 B`, `1.2 kB`, `45 MB`. */
export function humanBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // From 999.5 on, rounding would give 1000 of the smaller unit.
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${BYTE_UNITS[unit]}`;
}

/** Seconds in the two largest units: `45s`, `3m 12s`, `2h 05m`, `3d 04h`. */
export function humanDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  const [days, hours] = [Math.floor(whole / 86_400), Math.floor(whole / 3600) % 24];
  const minutes = Math.floor(whole / 60) % 60;
  if (days > 0) return `${humanCount(days)}d ${two(hours)}h`;
  if (hours > 0) return `${hours}h ${two(minutes)}m`;
  if (minutes > 0) return `${minutes}m ${two(whole % 60)}s`;
  return `${whole}s`;
}

/** An ISO time in this machine's zone: `22:00` when it is on the day of `now`, else `2026-10-01 22:00`. */
export function humanTime(iso: string, now: number): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const two = (value: number) => String(value).padStart(2, "0");
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (at.toDateString() === new Date(now).toDateString()) return time;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;
/** Within so many days a weekday is unambiguous and is not today's. */
const WEEKDAY_TELLS_MS = 6 * 86_400_000;

/** An ISO time ahead in this machine's zone: `22:00` today, `Thursday 03:40` within six days, else as {@link humanTime}. */
export function humanMoment(iso: string, now: number): string {
  const at = new Date(iso);
  const text = humanTime(iso, now);
  const isNear = at.getTime() > now && at.getTime() - now < WEEKDAY_TELLS_MS;
  const [, time] = text.split(" ");
  return isNear && time !== undefined ? `${WEEKDAYS[at.getDay()]} ${time}` : text;
}
