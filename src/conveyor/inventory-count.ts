/** InventoryCount: counts the inventory of a long job once, beside its first copies, for an early estimate of its end. */

import { hasCode } from "../domain/errors.ts";
import { countAhead, type PlannedSoFar } from "../stages/inventory/count-ahead.ts";
import type { RunContext } from "./run-context.ts";

/** Planning that ends within this time after its first batch needs no count, so small jobs have no cost. */
const HEAD_START_MS = 10_000;
/** After a transient error the count is restarted after this time, from the position of planning then. */
const AGAIN_MS = 60_000;

/** The count of one run. Its failure does not fail the job. */
export class InventoryCount {
  readonly #run: RunContext;
  readonly #isKnown: boolean;
  readonly #ended = new AbortController();
  #planned: PlannedSoFar | null = null;
  #counting: Promise<void> | null = null;

  /** @param isKnown whether an earlier run has counted: nothing is done then */
  constructor(run: RunContext, isKnown: boolean) {
    this.#run = run;
    this.#isKnown = isKnown;
  }

  /** Call it for every planned batch, after it was added to the tally; the first call schedules the count. */
  planned(cursor: string): void {
    if (this.#isKnown) return;
    this.#planned = { cursor, bytes: this.#run.tally.bytes };
    this.#counting ??= this.#count();
  }

  /** Planning has ended: the count is not needed any more. */
  planningEnded(): void {
    this.#ended.abort();
  }

  /** Stops the count; resolves when it has no request in flight any more. */
  async end(): Promise<void> {
    this.#ended.abort();
    await this.#counting;
  }

  async #count(): Promise<void> {
    const { ledger, lease, clock, stages, onCountFailed } = this.#run;
    const signal = AbortSignal.any([this.#run.signal, this.#ended.signal]);
    for (let waitMs = HEAD_START_MS; ; waitMs = AGAIN_MS) {
      await clock.sleep(waitMs, signal);
      if (signal.aborted || this.#planned === null) return;
      try {
        const expected = await countAhead(stages.plan.until(signal), this.#planned);
        return await ledger.expectObjects(lease, expected, clock.now());
      } catch (error) {
        if (signal.aborted) return;
        onCountFailed?.(error);
        if (!isPassing(error)) return;
      }
    }
  }
}

/** Whether the count is worth a restart; permanent errors occur in planning too and are reported by it. */
function isPassing(error: unknown): boolean {
  return hasCode(error, "store_unavailable", "store_throttled", "database_unavailable", "ledger_unavailable");
}
