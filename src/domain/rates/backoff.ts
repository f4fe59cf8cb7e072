/** Exponential backoff with jitter. */

export interface BackoffRule {
  /** Upper bound of the first wait, ms. */
  readonly firstMs: number;
  /** Upper bound of every wait, ms. */
  readonly mostMs: number;
}

/** Full jitter: anywhere from 0 to the doubled bound, so that many clients spread out (AWS Architecture Blog, "Exponential Backoff And Jitter"). */
export function backoffMs(rule: BackoffRule, attempt: number, random: number): number {
  const bound = Math.min(rule.mostMs, rule.firstMs * 2 ** Math.min(attempt - 1, 30));
  return random * bound;
}
