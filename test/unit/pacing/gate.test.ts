/** The gate: the first objection counts, and an approval is read anew each time. */

import { describe, expect, it } from "vitest";
import type { Stage } from "../../../src/domain/batch.ts";
import { gateOf, type Hold, untilApproved } from "../../../src/pacing/gate.ts";

const hold = (detail: string): Hold => ({ reason: "window", until: 5, detail });
const at = (stage: Stage) => ({ stage, at: 0 });

describe("a gate", () => {
  it("without objections holds nothing", async () => {
    expect(await gateOf([]).ask(at("delete"))).toBeNull();
  });

  it("gives the first objection and asks no further", async () => {
    let asked = 0;
    const count = () => {
      asked += 1;
      return null;
    };
    const gate = gateOf([count, () => hold("first"), count, () => hold("second")]);
    expect(await gate.ask(at("copy"))).toEqual(hold("first"));
    expect(asked).toBe(1);
  });

  it("does not open because an objection could not be decided", async () => {
    const gate = gateOf([() => Promise.reject(new Error("the ledger is away"))]);
    await expect(gate.ask(at("delete"))).rejects.toThrow("the ledger is away");
  });
});

describe("waiting for approval", () => {
  it("holds only the deletion", async () => {
    const gate = gateOf([untilApproved(async () => false)]);
    for (const stage of ["plan", "copy", "verify", "update"] as const)
      expect(await gate.ask(at(stage))).toBeNull();
    expect(await gate.ask(at("delete"))).toMatchObject({ reason: "approval", until: null });
  });

  it("asks each time, so that an approval counts from when it is given", async () => {
    let approved = false;
    let asked = 0;
    const gate = gateOf([
      untilApproved(async () => {
        asked += 1;
        return approved;
      }),
    ]);
    expect(await gate.ask(at("delete"))).not.toBeNull();
    approved = true;
    expect(await gate.ask(at("delete"))).toBeNull();
    approved = false;
    expect(await gate.ask(at("delete"))).not.toBeNull();
    expect(asked).toBe(3);
  });
});
