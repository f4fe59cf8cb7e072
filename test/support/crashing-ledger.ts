/** A process killed at a chosen ledger write: from then on the ledger of that process answers nothing any more. */

import { DomainError } from "../../src/domain/errors.ts";
import type { Ledger } from "../../src/ports/ledger.ts";

/** Where the process dies: before the write takes place, or after it, with the answer lost. */
export interface CrashPoint {
  readonly method: keyof Ledger;
  readonly moment: "before" | "after";
  /** Which call of `method` it is; each by default. */
  readonly when?: (args: readonly unknown[]) => boolean;
}

export interface CrashingLedger {
  readonly ledger: Ledger;
  readonly crashed: boolean;
}

type Method = (...args: readonly unknown[]) => Promise<unknown>;

/** `ledger` as seen by a process that dies at `point`; what it wrote before stays. */
export function crashingLedger(ledger: Ledger, point: CrashPoint): CrashingLedger {
  let crashed = false;
  const dead = () => new DomainError("lease_lost", "this process is dead");
  const seen = new Proxy(ledger, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== "function") return member;
      const method = member.bind(target) as Method;
      return async (...args: readonly unknown[]) => {
        if (crashed) throw dead();
        if (name !== point.method || point.when?.(args) === false) return method(...args);
        if (point.moment === "before") {
          crashed = true;
          throw dead();
        }
        await method(...args);
        crashed = true;
        throw dead();
      };
    },
  });
  return {
    ledger: seen,
    get crashed() {
      return crashed;
    },
  };
}
