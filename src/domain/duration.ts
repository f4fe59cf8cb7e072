/** Durations as users write them: `90s`, `15m`, `24h`, `7d`, or `0s` for none. */

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The longest accepted grace period: ten years. A longer one is taken for a typing mistake. */
export const MAX_DURATION_MS = 3_650 * 86_400_000;

/** `text` in milliseconds, or null when it is not a duration of 0 to ten years. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,9})(s|m|h|d)$/.exec(text);
  const unitMs = UNIT_MS[match?.[2] ?? ""];
  if (match === null || unitMs === undefined) return null;
  const ms = Number(match[1]) * unitMs;
  return ms <= MAX_DURATION_MS ? ms : null;
}

/** `text`, which was validated before, in milliseconds; throws `RangeError` when it is no duration. */
export function durationMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new RangeError(`not a duration: ${text}`);
  return ms;
}
