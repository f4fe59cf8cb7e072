/** Consigner: sends planned batches to an external copy engine, a consignment at a time, and has them taken in afterwards. */

import { consignmentSize, LEAST_CONSIGNED } from "../domain/engines/consignment-size.ts";
import type { ConsignmentRecord } from "../ports/consignment-records.ts";
import { carryConsignment } from "./carry-consignment.ts";
import { RetryBackoff } from "./retry-backoff.ts";
import type { Consigning, RunContext } from "./run-context.ts";
import type { TakenIn } from "./take-in.ts";

/** Consignments under way at once: one is prepared by the service while another is worked through. */
const MOST_UNDER_WAY = 2;
const POLL_MS = 250;
/** While planning goes on, a consignment is sent when this share of its size is planned: the last batch may not fit. */
const ENOUGH = 0.9;

/** The consignments of one run of a job. */
export class Consigner {
  readonly #run: RunContext;
  readonly #consigning: Consigning;
  readonly #takenIn: TakenIn;
  readonly #underWay = new Map<number, Promise<void>>();
  #isPlanned = false;

  constructor(run: RunContext, consigning: Consigning, takenIn: TakenIn) {
    this.#run = run;
    this.#consigning = consigning;
    this.#takenIn = takenIn;
  }

  /** No more batches will be planned. */
  planningEnded(): void {
    this.#isPlanned = true;
  }

  /**
   * Sends and takes in until planning has ended and at most a small remainder of planned batches is left, which the service
   * copies. Throws what a consignment throws; `stopped` is no error here.
   */
  async work(): Promise<void> {
    const { ledger, lease, signal } = this.#run;
    const failures: unknown[] = [];
    const failed = new AbortController();
    const until = AbortSignal.any([signal, failed.signal]);
    const start = (record: ConsignmentRecord) => {
      const carrying = carryConsignment(this.#run, this.#consigning, record, this.#takenIn)
        .catch((error: unknown) => {
          failures.push(error);
          failed.abort();
        })
        .finally(() => this.#underWay.delete(record.id));
      this.#underWay.set(record.id, carrying);
    };
    for (const record of await this.#retried(() => ledger.consignments(lease.jobId))) {
      if (record.state === "open") start(record);
    }
    while (!until.aborted && !(await this.#sendNext(start, until)));
    await Promise.all(this.#underWay.values());
    if (failures.length > 0) throw failures[0];
  }

  /** Sends the next consignment or waits until there may be one; true when only a remainder is left. */
  async #sendNext(start: (record: ConsignmentRecord) => void, until: AbortSignal): Promise<boolean> {
    const isFull = this.#underWay.size >= MOST_UNDER_WAY;
    const next = isFull ? null : await this.#retried(() => this.#open());
    if (next === "remainder" && this.#underWay.size === 0) return true;
    if (next === "held") await this.#whileHeld(until);
    else if (next !== null && next !== "remainder") start(next);
    else await Promise.race([...this.#underWay.values(), this.#run.clock.sleep(POLL_MS, until)]);
    return false;
  }

  /**
   * Records the next consignment when enough is planned; null: not yet; `held`: the gate is closed; `remainder`: planning has
   * ended and too little is left to be worth one.
   */
  async #open(): Promise<ConsignmentRecord | "held" | "remainder" | null> {
    const { ledger, lease, clock, gate } = this.#run;
    const { engine, closesAt } = this.#consigning;
    // Asked before the ledger is read: what is planned until then is found.
    const isPlanned = this.#isPlanned;
    const size = consignmentSize((await ledger.consignments(lease.jobId)).length + 1, engine.mostCopies);
    const range = await ledger.plannedRange(lease.jobId, size);
    const objects = range?.objects ?? 0;
    if (isPlanned && objects < LEAST_CONSIGNED) return "remainder";
    if (range === null || (!isPlanned && objects < size * ENOUGH)) return null;
    if ((await gate.ask({ stage: "copy", at: clock.now() })) !== null) return "held";
    return ledger.openConsignment(lease, {
      token: crypto.randomUUID(),
      range,
      notAfter: closesAt(),
      at: clock.now(),
    });
  }

  /** Waits until the gate lets copies begin, and shows why not. */
  async #whileHeld(until: AbortSignal): Promise<void> {
    const { waits, gate, clock } = this.#run;
    await waits.runActive(() =>
      waits.waitWhileHeld(() => gate.ask({ stage: "copy", at: clock.now() }), until),
    );
  }

  /** Runs `work` again while the ledger is unavailable. */
  async #retried<Result>(work: () => Promise<Result>): Promise<Result> {
    const backoff = new RetryBackoff(this.#run);
    for (;;) {
      try {
        return await work();
      } catch (error) {
        await this.#run.waits.runActive(() => backoff.backOffOrThrow(error));
      }
    }
  }
}
