/** Watches the share of exceptions in one run, and says when it is more than the job's guard allows. */

import { exceedsExceptionRatio, exceptionRatioReason } from "../../domain/exception-ratio.ts";
import type { Tally } from "../../domain/tally.ts";
import type { Ledger } from "../../ports/ledger.ts";

/** Codes named in the reason. */
const TOP_CODES = 3;

/** Counted from the run's start: who resumes a job after a look has taken note of what there was. */
export class ExceptionWatch {
  readonly #ledger: Pick<Ledger, "topExceptions">;
  readonly #jobId: string;
  readonly #since: number;
  #atStart: Tally | null = null;
  #hasTripped = false;

  /** @param since when the run began, epoch ms */
  constructor(ledger: Pick<Ledger, "topExceptions">, jobId: string, since: number) {
    this.#ledger = ledger;
    this.#jobId = jobId;
    this.#since = since;
  }

  begin(tally: Tally): void {
    this.#atStart = { ...tally };
  }

  /** The reason to pause the job, told once; null while there is none. `limit` as in `guards.maxExceptionRatio`. */
  async look(tally: Tally, limit: number | null): Promise<string | null> {
    const start = this.#atStart;
    if (limit === null || start === null || this.#hasTripped) return null;
    const exceptions = tally.exceptions - start.exceptions;
    const settled = settledSoFar(tally) - settledSoFar(start);
    if (!exceedsExceptionRatio(exceptions, settled, limit)) return null;
    this.#hasTripped = true;
    // The pause does not wait for a ledger that is away: the codes are a help and no more.
    const top = await this.#ledger.topExceptions(this.#jobId, this.#since, TOP_CODES).catch(() => []);
    return exceptionRatioReason({ exceptions, settled, limit, top });
  }
}

/** Objects that are through as far as they can be for now: while sources are kept, those whose rows are updated. */
function settledSoFar({ moved, skipped, exceptions, updated }: Tally): number {
  return Math.max(moved + skipped, updated) + exceptions;
}
