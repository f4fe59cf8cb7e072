/** An SQLite ledger serves one process that works on jobs; processes that only read may open it too. */

import { symlinkSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Ended } from "../../support/service.ts";
import {
  lastLine,
  openSandboxWorld,
  type Pair,
  type SandboxWorld,
} from "../../support/worlds/sandbox-world.ts";
import { imageKeys } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(50);
/** A lease that the dead owner left would be waited for; a lock it left would be for ever. */
const SOON_MS = 8_000;

let world: SandboxWorld;
let pair: Pair;
beforeEach(async () => {
  world = await openSandboxWorld();
  pair = world.buckets("one", KEYS);
});
afterEach(() => world.close());

const second = (ledger: string) =>
  world.file("second.json", world.config({ progress: `sqlite:${ledger}`, listen: { port: 0 } }));
const job = () => world.file("job.json", { ...pair, delete: { when: "verified", after: "0s" } });

function expectRefused(ended: Ended, ledger: string): void {
  expect(ended, ended.stdout).toMatchObject({ end: 2 });
  expect(ended.stderr).toContain(`another tranship process (serve or run) works with the ledger ${ledger}`);
  expect(ended.stderr).toContain('set "progress" to mysql://');
  expect(lastLine(ended)).toMatchObject({ error: { code: "conflict" } });
}

describe("a second process on an SQLite ledger", () => {
  it("is refused while the service works with it, under any name of the file, and harms nobody", async () => {
    const ledger = `${world.directory}/ledger.db`;
    const alias = `${world.directory}/alias.db`;
    const service = await world.serve();
    symlinkSync(ledger, alias);
    expectRefused(await world.tranship(["serve", "--config", second(ledger), "--json"]), ledger);
    expectRefused(await world.tranship(["serve", "--config", second(alias), "--json"]), alias);
    expectRefused(await world.tranship(["run", job(), "--config", second(ledger), "--json"]), ledger);
    expect((await service.call("GET", "/jobs")).body.items).toEqual([]);
    expect(world.writes()).toBe(0);
  });

  it("is let in when it only looks", async () => {
    await world.serve();
    const planned = await world.tranship([
      "plan",
      job(),
      "--config",
      second(`${world.directory}/ledger.db`),
      "--json",
    ]);
    expect(planned, planned.stderr).toMatchObject({ end: 0 });
    expect(lastLine(planned)).toMatchObject({ objects: KEYS.length });
  });

  it("takes the first one's place at once after kill -9, and after an orderly stop", async () => {
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      const first = await world.serve();
      await first.kill(signal);
      const begun = Date.now();
      const next = await world.serve();
      expect(Date.now() - begun).toBeLessThan(SOON_MS);
      await next.kill("SIGKILL");
    }
    const run = await world.tranship([
      "run",
      job(),
      "--config",
      second(`${world.directory}/ledger.db`),
      "--json",
    ]);
    expect(run, run.stderr).toMatchObject({ end: 0 });
    expect(world.store.countObjects(pair.target.bucket)).toBe(KEYS.length);
  });
});
