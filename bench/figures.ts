/** Numbers as the report prints them; `–` for what is none. */

/** With thousands separated; three digits below ten. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A share as `97.3 %`. */
export function percent(share: number): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(1)} %` : "–";
}

/** A ratio as `3.1×`. */
export function times(ratio: number): string {
  return Number.isFinite(ratio) ? `${ratio.toFixed(ratio >= 10 ? 0 : 2)}×` : "–";
}

/** Requests an object, for which a thousandth matters. */
export function thousandths(value: number): string {
  return Number.isFinite(value) ? value.toFixed(3) : "–";
}

export const milliseconds = (value: number) => `${figure(value)} ms`;
export const megabytes = (value: number) => `${figure(value)} MB`;
export const bytes = (value: number) => `${figure(value)} bytes`;
