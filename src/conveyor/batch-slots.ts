/** BatchSlots: bounded pools of batches in progress; no batch is ever in two of them. */

/** How the work on a batch ended; a deferred batch may be started again. */
export type SlotResult = "deferred" | "ended";

/** A bounded pool of batches in progress. */
export interface SlotPool {
  /** Whether batch `seq` may be started: it is in no pool, and this run has not ended it. */
  canStart(seq: number): boolean;
  /** Starts `work` for batch `seq` as soon as the pool has a free slot, and resolves then; `work` must not reject. */
  start(seq: number, work: () => Promise<SlotResult>): Promise<void>;
  /** Resolves when no batch of this pool is in progress. */
  onIdle(): Promise<void>;
}

/**
 * The pools of one run. They share the numbers of batches that are in progress or ended: a batch read from the ledger a
 * moment ago may have ended since, and must not be run again from its old state.
 */
export class BatchSlots {
  readonly #taken = new Set<number>();

  /** A pool with `most` slots. */
  open(most: number): SlotPool {
    const mine = new Set<Promise<void>>();
    const taken = this.#taken;
    return {
      canStart: (seq) => !taken.has(seq),
      async start(seq, work) {
        while (mine.size >= most) await Promise.race(mine);
        taken.add(seq);
        const running = work().then((left) => {
          if (left === "deferred") taken.delete(seq);
          mine.delete(running);
        });
        mine.add(running);
      },
      async onIdle() {
        while (mine.size > 0) await Promise.all(mine);
      },
    };
  }
}
