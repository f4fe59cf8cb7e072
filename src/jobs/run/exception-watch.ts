/** `ExceptionWatch`: pauses a run whose share of exceptions exceeds the job's guard. */

import { exceedsExceptionRatio, exceptionRatioReason } from "../../domain/exception-ratio.ts";
import type { Tally } from "../../domain/tally.ts";
import type { Ledger } from "../../ports/ledger.ts";

/** Number of exception codes named in the reason. */
const TOP_CODES = 3;

/** Exceptions are counted from the start of the run: resuming a job acknowledges the earlier ones. */
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

  /** Sets the tally at the start of the run; call it once, before `check`. */
  begin(tally: Tally): void {
    this.#atStart = { ...tally };
  }

  /** The reason to pause the job, given once in a run; null otherwise. `limit` (0 to 1) is `guards.maxExceptionRatio`. */
  async check(tally: Tally, limit: number | null): Promise<string | null> {
    const start = this.#atStart;
    if (limit === null || start === null || this.#hasTripped) return null;
    const exceptions = tally.exceptions - start.exceptions;
    const settled = finishedForNow(tally) - finishedForNow(start);
    if (!exceedsExceptionRatio(exceptions, settled, limit)) return null;
    this.#hasTripped = true;
    // An unavailable ledger must not delay the pause: the codes only complete the message.
    const top = await this.#ledger.topExceptions(this.#jobId, this.#since, TOP_CODES).catch(() => []);
    return exceptionRatioReason({ exceptions, settled, limit, top });
  }
}

/** Objects that are finished for now: during the grace period those whose rows are updated count too. */
function finishedForNow({ moved, skipped, exceptions, updated }: Tally): number {
  return Math.max(moved + skipped, updated) + exceptions;
}
