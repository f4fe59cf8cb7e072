/** `SentRecord`: writes a job's request counts to the ledger often enough that a killed process loses few of them. */

import type { Lease, Ledger, RunReport } from "../../ports/ledger.ts";

/** Requests between two writes at least: a statement for each request would cost more than the request. */
const LEAST = 16;

/** Writes the counts each time as many requests were sent as may be under way at once. */
export class SentRecord {
  readonly #ledger: Ledger;
  readonly #lease: Lease;
  readonly #sent: Pick<RunReport, "requests" | "statements">;
  readonly #maxInFlight: () => number;
  #unrecorded = 0;
  #isWriting = false;

  /** `sent` is the live counts, changed elsewhere; `maxInFlight` gives the requests that may be under way at once. */
  constructor(
    ledger: Ledger,
    lease: Lease,
    sent: Pick<RunReport, "requests" | "statements">,
    maxInFlight: () => number,
  ) {
    this.#ledger = ledger;
    this.#lease = lease;
    this.#sent = sent;
    this.#maxInFlight = maxInFlight;
  }

  /** Notes one sent request. */
  readonly note = (): void => {
    this.#unrecorded += 1;
    if (this.#isWriting || this.#unrecorded < Math.max(LEAST, this.#maxInFlight())) return;
    this.#unrecorded = 0;
    this.#isWriting = true;
    const written = () => {
      this.#isWriting = false;
    };
    // A failed write needs no report: heartbeats write the counts too, and report an unavailable ledger.
    void this.#ledger.recordSent(this.#lease, this.#sent).then(written, written);
  };
}
