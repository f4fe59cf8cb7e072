/** `tranship run JOB.json` given again: the same relocation goes on, with the settings the file has now. */

import { describe, expect, it } from "vitest";
import { continueOrSubmit, takeFileSettings } from "../../src/jobs/submit/run-to-end.ts";
import { bench, benchForEach } from "../support/worlds/bench-for-each.ts";
import { imageKeys } from "../support/worlds/workbench.ts";

benchForEach({ objects: imageKeys(3), rows: imageKeys(3) });

const FILE = {
  source: { bucket: "bucket-a", prefix: "image/" },
  target: { bucket: "bucket-b", prefix: "avatar/" },
  references: [],
};
const NIGHT = { timezone: "Africa/Cairo", open: [{ from: "22:00", to: "06:00" }] };

/** What `run` does before it works. */
async function again(file: unknown, actor: string): Promise<string> {
  const id = await continueOrSubmit(bench.parts, file, actor);
  await takeFileSettings(bench.parts, id, file, actor);
  return id;
}

describe("the same file", () => {
  it.each([
    ["unchanged", {}],
    ["with other limits", { limits: { concurrency: 3 } }],
    ["with windows", { windows: NIGHT }],
    ["with a guard", { guards: { maxExceptionRatio: 0.5 } }],
  ])("%s is the same job, as the file has it now", async (_, change) => {
    const id = await continueOrSubmit(bench.parts, FILE, "ann");
    expect(await again({ ...FILE, ...change }, "bob")).toBe(id);
    const { spec } = await bench.jobs.get(id);
    expect(spec).toMatchObject(change);
    const { items } = await bench.jobs.audit(id, { cursor: null, limit: 10 });
    const changes = items.filter(({ action }) => action === "amend");
    expect(changes.map(({ actor }) => actor)).toEqual(Object.keys(change).length === 0 ? [] : ["bob"]);
  });

  it("is found again after somebody amended the job through the service", async () => {
    const id = await continueOrSubmit(bench.parts, FILE, "ann");
    await bench.jobs.amend(id, { limits: { concurrency: 2 } }, { ifVersions: null, actor: "ops" });
    expect(await again(FILE, "ann")).toBe(id);
    expect((await bench.jobs.get(id)).spec.limits.concurrency).toBe(128);
  });

  it("changes nothing of a job that somebody else works on", async () => {
    const id = await continueOrSubmit(bench.parts, FILE, "ann");
    await bench.jobs.amend(id, { limits: { concurrency: 2 } }, { ifVersions: null, actor: "ops" });
    await bench.ledger.claim(id, "another process", Date.now(), 60_000);
    expect(await continueOrSubmit(bench.parts, FILE, "bob")).toBe(id);
    expect((await bench.jobs.get(id)).spec.limits.concurrency).toBe(2);
  });

  it("with another filter is another job", async () => {
    const id = await continueOrSubmit(bench.parts, FILE, "ann");
    const other = { ...FILE, filter: { include: ["**/*.png"] } };
    expect(await continueOrSubmit(bench.parts, other, "ann")).not.toBe(id);
  });
});
