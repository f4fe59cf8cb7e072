/** Lanes of batches under way: bounded, and no batch is ever in two of them. */

/** How a batch was left; a deferred one may be taken again. */
export type SlotResult = "deferred" | "ended";

/** A bounded set of batches under way. */
export interface SlotPool {
  /** Whether batch `seq` may be started: nobody has it, and this run has not finished with it. */
  canStart(seq: number): boolean;
  /** Starts `work` for batch `seq` as soon as the lane has a place; `work` must not reject. */
  start(seq: number, work: () => Promise<SlotResult>): Promise<void>;
  /** Resolves when nothing of this lane is under way. */
  onIdle(): Promise<void>;
}

/**
 * The lanes of one run. They share the numbers of batches in hand or finished with: what was read from the ledger a
 * moment ago may be finished by now, and must not be carried again from its old state.
 */
export class BatchSlots {
  readonly #taken = new Set<number>();

  /** A lane with `most` places. */
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
