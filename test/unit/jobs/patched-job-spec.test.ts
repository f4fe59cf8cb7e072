/** What PATCH changes of a job, and what it refuses. */

import { describe, expect, it } from "vitest";
import type { JobSpec } from "../../../src/domain/job-spec.ts";
import { parseJobSpec, patchedJobSpec } from "../../../src/jobs/submit/parse-job-spec.ts";

const KNOWN = { stores: ["main"], databases: [] };
const SPEC = parseJobSpec(
  {
    source: { bucket: "bucket-a", prefix: "image/" },
    target: { bucket: "bucket-b", prefix: "avatar/" },
    limits: { concurrency: 64, requestsPerSecond: 100 },
    guards: { maxExceptionRatio: 0.5 },
  },
  KNOWN,
);
const patched = (input: unknown): JobSpec => patchedJobSpec(SPEC, input, KNOWN);

describe("patchedJobSpec", () => {
  it("takes back what a job shows of itself", () => {
    const open = [
      { from: "22:00", to: "06:00" },
      { days: ["sat"], from: "00:00", to: "24:00", limits: { concurrency: 2 } },
    ];
    const once = patched({
      windows: { timezone: "Africa/Cairo", open },
      guards: { database: { maxThreadsRunning: 9 } },
    });
    const { limits, windows, guards } = once;
    expect(patchedJobSpec(once, { limits, windows, guards }, KNOWN)).toEqual(once);
    expect(patched({ windows, guards })).toEqual(once);
  });

  it.each([
    [
      "a limit, and leaves the others",
      { limits: { concurrency: 8 } },
      { limits: { ...SPEC.limits, concurrency: 8 } },
    ],
    [
      "a limit to none",
      { limits: { requestsPerSecond: null } },
      { limits: { ...SPEC.limits, requestsPerSecond: null } },
    ],
    [
      "a guard to none",
      { guards: { maxExceptionRatio: null } },
      { guards: { ...SPEC.guards, maxExceptionRatio: null } },
    ],
    ["nothing of a guard that is not named", { guards: {} }, {}],
    ["windows to none", { windows: null }, {}],
  ])("changes %s", (_, input, change) => {
    expect(patched(input)).toEqual({ ...SPEC, ...change });
  });

  it.each([
    ["nothing at all", {}, [""]],
    ["what may not change", { target: { bucket: "bucket-c" } }, ["/target"]],
    [
      "a limit out of its bounds",
      { limits: { concurrency: 0, requestsPerSecond: -1 } },
      ["/limits/concurrency", "/limits/requestsPerSecond"],
    ],
    ["an unknown limit", { limits: { speed: 1 } }, ["/limits/speed"]],
    ["a ratio above one", { guards: { maxExceptionRatio: 2 } }, ["/guards/maxExceptionRatio"]],
    ["windows that never open", { windows: { timezone: "Africa/Cairo", open: [] } }, ["/windows/open"]],
  ])("refuses %s, naming the place", (_, input, pointers) => {
    const faults = pointers.map((pointer) => expect.objectContaining({ pointer }));
    expect(() => patched(input)).toThrow(
      expect.objectContaining({ code: "invalid_input", faults: expect.arrayContaining(faults) }),
    );
  });
});
