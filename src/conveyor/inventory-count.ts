/** Has the inventory of a long job counted once, beside its first copies: its end is known long before all is planned. */

import { hasCode } from "../domain/errors.ts";
import { countAhead, type PlannedSoFar } from "../stages/inventory/count-ahead.ts";
import type { RunContext } from "./run-context.ts";

/** Planning that is over so soon after its first batch needs no count, and small jobs pay nothing for one. */
const HEAD_START_MS = 10_000;
/** A count that a passing trouble has cut short is begun anew, from where planning is by then. */
const AGAIN_MS = 60_000;

/** The count of one run. It fails by itself, and never the job. */
export class InventoryCount {
  readonly #run: RunContext;
  readonly #isKnown: boolean;
  readonly #ended = new AbortController();
  #planned: PlannedSoFar | null = null;
  #counting: Promise<void> | null = null;

  /** `isKnown`: an earlier run has counted; nothing is done. */
  constructor(run: RunContext, isKnown: boolean) {
    this.#run = run;
    this.#isKnown = isKnown;
  }

  /** To be told of every batch that was planned, when the tally has it. */
  planned(cursor: string): void {
    if (this.#isKnown) return;
    this.#planned = { cursor, bytes: this.#run.tally.bytes };
    this.#counting ??= this.#count();
  }

  /** All is planned: nothing needs to be counted any more. */
  planningEnded(): void {
    this.#ended.abort();
  }

  /** Resolves when no request of it is under way any more. */
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

/** What no waiting cures is left to planning, which meets it too and knows whom to tell. */
function isPassing(error: unknown): boolean {
  return hasCode(error, "store_unavailable", "store_throttled", "database_unavailable", "ledger_unavailable");
}
