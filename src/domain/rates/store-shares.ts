/** How instances that work on one store divide its limits: pure rules on what each has written down about itself. */

/** What one instance has written down about a limit of a store. */
export interface WrittenShare {
  readonly owner: string;
  /** Jobs of it that send requests to the store, at least 1. */
  readonly jobs: number;
  /** The part of the limits that it could use, 0 to 1; 1 where it uses all that it has. */
  readonly wants: number;
  /** The part of the limits that it may use, 0 to 1. The sum over all instances is never more than 1. */
  readonly share: number;
  /** Grows each time the instance writes: one that does not change for long is of a process that is gone. */
  readonly beat: number;
}

/** Gaining or losing less than this part of a share is not worth the change. */
const WORTH = 0.02;
/** Who lacks more than this part of what is due to him is given it by all who have too much, however little each has. */
const LACK = 0.1;
/** Sums of fractions are not exact. */
const EXACT_TO = 1e-9;

/**
 * The parts that are due to each of `sharers`, in their order; they add up to 1. Everybody is given what he wants, as far
 * as that is no more than his jobs' part of what the others leave; what nobody wants is divided by jobs, so that whoever
 * comes to want more finds room. With all wanting everything, each job has the same part.
 */
export function fairShares(sharers: readonly Pick<WrittenShare, "jobs" | "wants">[]): readonly number[] {
  const shares = sharers.map(() => 0);
  let open = sharers.map((sharer, index) => ({ ...sharer, index }));
  let left = 1;
  for (;;) {
    const jobs = open.reduce((sum, sharer) => sum + sharer.jobs, 0);
    const modest = open.filter((sharer) => sharer.wants <= (left * sharer.jobs) / jobs);
    if (modest.length === 0 || modest.length === open.length) {
      const spare = modest.reduce((rest, sharer) => rest - sharer.wants, left);
      for (const { index, jobs: own, wants } of open) {
        shares[index] = modest.length === 0 ? (left * own) / jobs : wants + (spare * own) / jobs;
      }
      return shares;
    }
    for (const { index, wants } of modest) {
      shares[index] = wants;
      left -= wants;
    }
    open = open.filter((sharer) => !modest.includes(sharer));
  }
}

/** What an instance does next. */
export interface NextShare {
  /** The part that it may use beside what the others hold at this moment, never less than it holds. */
  readonly share: number;
  /** The part that is due to it. */
  readonly due: number;
  /** Whether it should use only `due` from now on, and then write that down. */
  readonly isTooMuch: boolean;
}

/**
 * What `own` does beside what `others` hold at this moment: it takes more than it holds only as far as nobody else holds
 * it, and never less, for whoever is due less must use less before he writes that down. He does so however little that is
 * while anybody lacks much: a little of each of many makes the part of one.
 */
export function nextShare(own: Omit<WrittenShare, "beat">, others: readonly WrittenShare[]): NextShare {
  const [due = 1, ...dues] = fairShares([own, ...others]);
  const free = Math.max(0, 1 - others.reduce((sum, { share }) => sum + share, 0));
  const most = Math.max(own.share, Math.min(due, free));
  const share = most - own.share > WORTH * most || own.share === 0 ? most : own.share;
  const isAwaited = others.some((other, index) => other.share < (dues[index] ?? 0) * (1 - LACK));
  return { share, due, isTooMuch: isAwaited ? share - due > EXACT_TO : isLess(due, share) };
}

/** Whether `less` is so much less than `more` that it is worth a change. */
export function isLess(less: number, more: number): boolean {
  return more - less > Math.max(WORTH * more, EXACT_TO);
}
