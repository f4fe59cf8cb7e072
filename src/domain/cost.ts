/** Cost of requests at AWS list prices. */

/** US dollars for 1,000 requests, S3 Standard, us-east-1; DELETE is free (S3 pricing page, November 2026). */
const USD_PER_1000 = { list: 0.005, copy: 0.005, head: 0.0004 } as const;

/** Estimated cost of `requests` in US dollars, rounded to four decimals. */
export function estimateCostUsd(requests: {
  readonly list: number;
  readonly copy: number;
  readonly head: number;
}): number {
  const usd =
    (requests.list * USD_PER_1000.list +
      requests.copy * USD_PER_1000.copy +
      requests.head * USD_PER_1000.head) /
    1000;
  return Math.round(usd * 10_000) / 10_000;
}
