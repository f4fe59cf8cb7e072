/** Keeps the ledger's counts of what a job has sent so close to the truth that kill -9 loses little more than is under way. */

import type { Lease, Ledger, RunReport } from "../../ports/ledger.ts";

/** A statement for each request of a job with few places would cost more than the request. */
const LEAST = 16;

/** Writes the counts down each time as many requests were sent as may be under way at once. */
export class SentRecord {
  readonly #ledger: Ledger;
  readonly #lease: Lease;
  readonly #sent: Pick<RunReport, "requests" | "statements">;
  readonly #places: () => number;
  #unrecorded = 0;
  #isWriting = false;

  /** `sent` is counted on by others; `places` tells how many requests may be under way at once. */
  constructor(
    ledger: Ledger,
    lease: Lease,
    sent: Pick<RunReport, "requests" | "statements">,
    places: () => number,
  ) {
    this.#ledger = ledger;
    this.#lease = lease;
    this.#sent = sent;
    this.#places = places;
  }

  /** A request was sent. */
  readonly note = (): void => {
    this.#unrecorded += 1;
    if (this.#isWriting || this.#unrecorded < Math.max(LEAST, this.#places())) return;
    this.#unrecorded = 0;
    this.#isWriting = true;
    const written = () => {
      this.#isWriting = false;
    };
    // The heartbeat writes the counts too, and tells when the ledger is away.
    void this.#ledger.recordSent(this.#lease, this.#sent).then(written, written);
  };
}
