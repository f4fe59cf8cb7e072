/** When connections are to be made anew because the account's rights may have changed. */

/** After refusals connections are renewed no more often. */
const ANEW_EVERY_MS = 15_000;

/** The server reads an account's rights to itself and to databases when a connection is made (seen in MariaDB 10.11). */
export class RightsGeneration {
  /** Connections of an earlier one are not used any more. */
  generation = 0;
  #wasDenied = false;
  #begunAt = Number.NEGATIVE_INFINITY;

  /** A statement was refused for want of a right, at `now` (ms by any clock). */
  denied(now: number): void {
    this.#wasDenied = true;
    if (now - this.#begunAt < ANEW_EVERY_MS) return;
    this.#begunAt = now;
    this.generation += 1;
  }

  /** A right may have been granted by now: where any was missing so far, the next connection is a new one. */
  askAnew(): void {
    if (this.#wasDenied) this.generation += 1;
  }
}
