/** However many wait with one signal, it has one listener, and none when none waits. */

import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { SharedAborts } from "../../../src/pacing/rates/shared-aborts.ts";
import { systemClock } from "../../../src/stores/system-clock.ts";
import { untilIdle } from "../../support/clocks/virtual-clock.ts";

const listeners = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

describe("waits with one signal", () => {
  it("share a listener, which is removed with the last of them and added again with the next", () => {
    const { signal } = new AbortController();
    const aborts = new SharedAborts();
    const forget = Array.from({ length: 300 }, () => aborts.on(signal, () => {}));
    expect(listeners(signal)).toBe(1);
    for (const one of forget.slice(1)) one();
    expect(listeners(signal)).toBe(1);
    forget[0]?.();
    expect(listeners(signal)).toBe(0);
    forget[0]?.();
    const last = aborts.on(signal, () => {});
    forget[1]?.();
    expect(listeners(signal)).toBe(1);
    last();
    expect(listeners(signal)).toBe(0);
  });

  it("are woken once each, but for those that were cancelled", () => {
    const stop = new AbortController();
    const aborts = new SharedAborts();
    const woken: number[] = [];
    const forget = [0, 1, 2, 3].map((n) => aborts.on(stop.signal, () => void woken.push(n)));
    aborts.on(new AbortController().signal, () => void woken.push(9));
    forget[1]?.();
    stop.abort();
    for (const one of forget) one();
    expect(woken).toEqual([0, 2, 3]);
  });

  it("may be hundreds of sleepers: no warning of a leak, and nothing left behind", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on("warning", note);
    const stop = new AbortController();
    const short = Array.from({ length: 300 }, () => systemClock.sleep(5, stop.signal));
    expect(listeners(stop.signal)).toBe(1);
    await Promise.all(short);
    expect(listeners(stop.signal)).toBe(0);
    const long = Array.from({ length: 300 }, () => systemClock.sleep(60_000, stop.signal));
    expect(listeners(stop.signal)).toBe(1);
    stop.abort();
    await Promise.all(long);
    expect(listeners(stop.signal)).toBe(0);
    // Warnings are emitted a turn of the event loop later.
    await untilIdle();
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });
});
