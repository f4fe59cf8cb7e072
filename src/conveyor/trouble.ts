/** Troubles that pass by themselves: the work is held, the reason is shown, and it goes on where it was. */

import { backoffMs } from "../domain/backoff.ts";
import { DomainError, hasCode, messageOf } from "../domain/errors.ts";
import type { Hold } from "../pacing/gate.ts";
import type { StageContext } from "../stages/stage-context.ts";
import type { Carrier } from "./batch-carrier.ts";

const AGAIN = { firstMs: 500, mostMs: 30_000 } as const;

/** Waits before attempt `attempt` + 1 when `error` is a passing trouble; throws on whatever no waiting cures. */
export async function sitOut(
  { context, holds }: Pick<Carrier, "context" | "holds">,
  error: unknown,
  attempt: number,
): Promise<void> {
  const { clock, signal } = context;
  const until = clock.now() + Math.max(100, backoffMs(AGAIN, attempt, 0.5 + Math.random() / 2));
  const trouble = troubleOf(error, until);
  await holds.waitOut(async () => (clock.now() < until ? trouble : null), signal);
  refuseIfStopped(context);
}

function troubleOf(error: unknown, until: number): Hold {
  if (hasCode(error, "database_unavailable", "ledger_unavailable")) {
    return { reason: "database", until, detail: messageOf(error) };
  }
  if (hasCode(error, "store_unavailable", "store_throttled")) {
    return { reason: "throttled", until, detail: `the store does not answer: ${messageOf(error)}` };
  }
  throw error;
}

/** Throws `stopped` when the job was asked to stop. */
export function refuseIfStopped({ signal }: StageContext): void {
  if (signal.aborted) throw new DomainError("stopped", "the job was asked to stop");
}
