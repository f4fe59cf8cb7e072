/** `tranship demo`: a whole relocation that proves itself, and does not where something was tampered with. */

import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, describe, expect, it } from "vitest";
import { spawnTranship, temporaryDirectory } from "../support/service.ts";
import { lastLine } from "../support/worlds/sandbox-world.ts";

const directory = temporaryDirectory();

/** A demo with a directory for temporary files of its own. */
function demo(name: string, ...args: string[]) {
  const TMPDIR = join(directory.path, name);
  mkdirSync(TMPDIR, { recursive: true });
  return { ...spawnTranship(["demo", ...args], { cwd: directory.path, env: { TMPDIR } }), TMPDIR };
}

const filesIn = (path: string) => readdirSync(path, { recursive: true }).map(String);

describe.concurrent("the demo", { timeout: 180_000 }, () => {
  afterAll(() => directory.remove());

  it("moves 2,000 objects, proves it, and leaves nothing behind", async () => {
    const { ended, TMPDIR } = demo("plain", "--objects", "2000", "--json");
    const end = await ended;
    expect(end, end.stderr).toMatchObject({ end: 0 });
    expect(lastLine(end)).toMatchObject({
      state: "completed",
      objects: { planned: 2_000, moved: 2_000, skipped: 0, exceptions: 0 },
      check: { ok: true, differences: [], found: 0 },
    });
    expect(end.stdout.trimEnd().split("\n")).toHaveLength(1);
    expect(filesIn(TMPDIR)).toEqual([]);
  });

  it("tells a person what it did, and keeps its directory when asked to", async () => {
    const { ended, TMPDIR } = demo("kept", "--objects", "50", "--keep");
    const end = await ended;
    expect(end, end.stderr).toMatchObject({ end: 0 });
    expect(end.stdout).toMatch(/proved: 50 of 50 objects are in .* under avatar\//);
    expect(end.stdout).toMatch(/proved: \d+ of \d+ rows name the new keys/);
    expect(end.stdout).toContain(`Kept: ${TMPDIR}`);
    expect(filesIn(TMPDIR).length).toBeGreaterThan(2);
  });

  it("ends with exit code 1 and the difference when a row was tampered with meanwhile", async () => {
    const { child, ended, TMPDIR } = demo("tampered", "--objects", "300", "--json");
    await new Promise<void>((resolve) => {
      child.stderr?.on("data", (text: string) => {
        if (text.includes("The service listens")) resolve();
      });
    });
    const file = filesIn(TMPDIR).find(
      (name) => /\.(db|sqlite)$/.test(name) && !/ledger|tranship\.db/.test(name),
    );
    const app = new Sqlite(join(TMPDIR, file ?? "no database found"), { timeout: 5_000 });
    const { changes } = app
      .prepare("UPDATE images SET title = 'tampered' WHERE id = (SELECT MAX(id) FROM images)")
      .run();
    app.close();
    expect(changes).toBe(1);
    const end = await ended;
    expect(end).toMatchObject({ end: 1 });
    expect(lastLine(end).check).toMatchObject({ ok: false, found: 1 });
    expect(lastLine(end).check.differences[0]).toMatch(/title "tampered"/);
  });

  for (const objects of ["0", "-5", "1.5", "many", "1000001"]) {
    it(`refuses ${objects} objects`, async () => {
      const end = await demo("refused", `--objects=${objects}`, "--json").ended;
      expect(end).toMatchObject({ end: 2 });
      expect(lastLine(end).error).toMatchObject({ code: "usage", message: /1 to 1000000/ });
    });
  }

  it("stops at Ctrl-C with exit code 1 and leaves nothing behind", async () => {
    const { child, ended, TMPDIR } = demo("stopped", "--objects", "20000", "--json");
    await new Promise<void>((resolve) => {
      child.stderr?.on("data", (text: string) => {
        if (text.includes("The service listens")) resolve();
      });
    });
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ end: 1, stdout: "" });
    expect(filesIn(TMPDIR)).toEqual([]);
  });
});
