import { defineConfig } from "vitest/config";

/** Suites by what they may touch: `unit` nothing, the others real servers that the set-up starts (or installs). */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          environment: "node",
          // One module graph for all files: they share nothing but pure code, and loading it dominates their time.
          isolate: false,
          sequence: { groupOrder: 0 },
          // Their time is their own; the machine's only tells a test that hangs from one that computes on a busy one.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "parts",
          include: ["test/{contract,integration,acceptance}/**/*.test.ts"],
          environment: "node",
          sequence: { groupOrder: 1 },
          globalSetup: ["test/support/servers/start-parts.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          // Many of these wait for leases, retries and windows more than they compute.
          maxWorkers: 3,
        },
      },
      {
        // By the clock on the wall: whether a rate is used is not to be seen while other suites take the processors.
        test: {
          name: "timing",
          include: ["test/timing/**/*.test.ts"],
          environment: "node",
          sequence: { groupOrder: 2 },
          testTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        // Minutes long, so not part of `npm test`: `npm run soak`.
        test: {
          name: "soak",
          include: ["test/soak/**/*.test.ts"],
          environment: "node",
          globalSetup: ["test/support/servers/start-parts.ts"],
          testTimeout: 900_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
        },
      },
    ],
  },
});
