/** `LiveSettings.waiting`: what the job waits for when some stages wait for windows and others work, slowly or not at all. */

import { describe, expect, it } from "vitest";
import { BucketGovernors } from "../../../src/jobs/run/bucket-governors.ts";
import { LiveSettings } from "../../../src/jobs/run/live-settings.ts";
import { type ReferenceTable, unlimitedStatements } from "../../../src/ports/reference-table.ts";
import { luxonCalendar } from "../../../src/stores/luxon-calendar.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";
import { AVATARS } from "../../support/job-spec.ts";

const OPEN = [{ days: ["mon" as const], from: "00:00", to: "01:00", limits: {} }];
const QUIET = { replicaLagSeconds: null, replica: null, lockWaits: 0, missingRights: [] };
const never = () => new Promise<void>(() => {});

/** A job whose deletions are held by its windows on a Tuesday. */
function deletionsHeld() {
  const clock = new VirtualClock(Date.parse("2030-01-08T12:00:00Z"));
  const { signal } = new AbortController();
  const windows = { timezone: "UTC", open: OPEN, closed: [], stages: ["delete" as const] };
  const database = {
    maxThreadsRunning: 40,
    maxReplicaLagSeconds: null,
    maxLockWaits: null,
    onUnknown: "hold" as const,
  };
  const guards = { database, maxExceptionRatio: null };
  // So near its limit that statements are nearly two seconds apart.
  const sample = async () => ({ ...QUIET, threadsRunning: 39 });
  const connections = { health: () => ({ database: "app", sample }) };
  const settings = new LiveSettings(
    { clock, calendar: luxonCalendar, connections: connections as never, governors: new BucketGovernors() },
    { spec: { ...AVATARS, windows, guards }, windowsIgnoredUntil: null },
    { signal },
  );
  void settings.throttlers.delete.whenOpen(signal);
  const waitsAfter = async (ms: number) => {
    await clock.runUntil(clock.now() + ms);
    return settings.waiting?.reason ?? null;
  };
  return { clock, settings, waitsAfter };
}

describe("a job whose deletions wait for a window", () => {
  it("waits for it when nothing else goes on", async () => {
    const { waitsAfter } = deletionsHeld();
    expect(await waitsAfter(0)).toBe("window");
  });

  it("works while a copy is under way, and in the moment between two copies", async () => {
    const { settings, waitsAfter } = deletionsHeld();
    settings.inFlight.begin();
    expect(await waitsAfter(60_000)).toBeNull();
    settings.inFlight.end();
    expect(await waitsAfter(300)).toBeNull();
    settings.inFlight.begin();
    settings.inFlight.end();
    expect(await waitsAfter(300)).toBeNull();
    expect(await waitsAfter(200)).toBe("window");
  });

  it("works while a copy waits for a limit, however long, and in the moment after", async () => {
    const { clock, settings, waitsAfter } = deletionsHeld();
    void settings.throttlers.copy.whileRateLimited(() => clock.sleep(60_000));
    expect(await waitsAfter(59_000)).toBeNull();
    expect(await waitsAfter(1300)).toBeNull();
    expect(await waitsAfter(200)).toBe("window");
  });

  it("works while a statement of another stage waits for its turn", async () => {
    const { settings, waitsAfter } = deletionsHeld();
    const table: Partial<ReferenceTable> = {
      database: "app",
      findRows: async (values, limiter = unlimitedStatements) => {
        for (const _ of values) await limiter(async () => {});
        return [];
      },
    };
    const { inFlight } = settings;
    const guarded = settings.guards.guarded(table as ReferenceTable, "update", { inFlight });
    void guarded.findRows(["a", "b"]);
    expect(await waitsAfter(1000)).toBeNull();
    expect(await waitsAfter(2000)).toBe("window");
  });

  it("waits for it though deletions stand in line for a limit: their turn would not let them go", async () => {
    const { settings, waitsAfter } = deletionsHeld();
    void settings.throttlers.delete.whileRateLimited(never);
    expect(await waitsAfter(0)).toBe("window");
  });
});
