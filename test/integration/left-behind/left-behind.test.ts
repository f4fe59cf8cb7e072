/** Nothing is left behind without a word: what came late, or was not seen, is moved in further rounds or named. */

import { describe, expect, it } from "vitest";
import { expectAllMoved } from "../../support/all-moved.ts";
import { bound } from "../../support/bound.ts";
import { bodyOf, copiesMade, moved, until, workWith } from "../../support/bystander.ts";
import { bench, benchForEach, clock } from "../../support/worlds/bench-for-each.ts";
import { fillStore, IMAGES, imageKeys } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(60);
const FIRST = KEYS[0] as string;
/** They sort before all others: behind the cursor of any listing. */
const LATE = imageKeys(50).map((key) => key.replace("image/", "image/0-late/"));

benchForEach({ objects: KEYS, rows: KEYS });

/** Runs a job, and has `act` done each time when sources were deleted and the ledger does not know yet; the first is 1. */
async function moveAndOnceGone(
  act: (time: number) => void,
  job: Record<string, unknown> = {},
): Promise<string> {
  const id = await bench.submit(job);
  let time = 0;
  const ledger = new Proxy(bench.ledger, {
    get(target, key) {
      if (key !== "recordStage") return bound(target, key);
      return (...[lease, outcome]: Parameters<typeof target.recordStage>) => {
        time += outcome.stage === "delete" ? 1 : 0;
        if (outcome.stage === "delete") act(time);
        return target.recordStage(lease, outcome);
      };
    },
  });
  await workWith(bench, { ledger }, id);
  return id;
}

const DELETING = { operation: "DeleteObjects" } as const;

describe("objects and rows that came under the old prefix while the job ran", () => {
  const come = () => {
    fillStore(bench.store, "bucket-a", LATE);
    bench.addRows(LATE);
  };

  it.each(["bucket", "database"])("are moved as well: from the %s", async (from) => {
    const { id } = await bench.moveWhile(DELETING, come, { inventory: { from }, batchSize: 25 });
    await expectAllMoved(bench, id, [...KEYS, ...LATE]);
    for (const key of LATE) expect(bodyOf(bench, "bucket-b", moved(key))).toBe(`body of ${key}`);
  });

  it("without rows too, where no row belongs to the job", async () => {
    const job = { references: [], inventory: { from: "bucket" } };
    const { id } = await bench.moveWhile(DELETING, () => fillStore(bench.store, "bucket-a", LATE), job);
    expect(await bench.jobs.get(id)).toMatchObject({ state: "completed", objects: { moved: 110 } });
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
  });

  it("stay where the filter or the size of a trial leaves them, and without a row the database names them", async () => {
    const excluded = { filter: { include: [], exclude: ["0-late/**"] }, inventory: { from: "bucket" } };
    const { id } = await bench.moveWhile(DELETING, come, excluded);
    expect(await bench.jobs.get(id)).toMatchObject({ state: "completed", objects: { planned: 60 } });
    expect(bench.store.listKeys("bucket-a")).toEqual(LATE);
    const trial = await bench.move({ maxObjects: 20, inventory: { from: "bucket" } });
    expect(trial).toMatchObject({ state: "completed", objects: { planned: 20, moved: 20 } });
    bench.app.exec("DELETE FROM images WHERE id > 90");
    const named = await bench.move({ inventory: { from: "database" } });
    expect(named).toMatchObject({ state: "completed", objects: { planned: 10, moved: 10 } });
    expect(bench.store.listKeys("bucket-a")).toEqual(LATE.slice(30));
  });

  it("belong to a trial that has room for them", async () => {
    const { id } = await bench.moveWhile(DELETING, come, { inventory: { from: "bucket" }, maxObjects: 80 });
    expect(await bench.jobs.get(id)).toMatchObject({ state: "completed", objects: { moved: 80 } });
    expect(bench.store.listKeys("bucket-a")).toEqual(LATE.slice(20));
  });

  it("pass through a grace period of their own", async () => {
    const id = await bench.submit({
      inventory: { from: "bucket" },
      delete: { when: "verified", after: "1h" },
    });
    const run = bench.work(id);
    const isInGrace = async () => (await bench.jobs.get(id)).waiting?.reason === "grace";
    await until(isInGrace);
    come();
    clock.advance(3_600_000);
    await until(async () => (await bench.jobs.get(id)).objects.updated === 110);
    await until(isInGrace);
    expect(bench.store.listKeys("bucket-a")).toEqual(LATE);
    clock.advance(3_600_000);
    await run;
    await expectAllMoved(bench, id, [...KEYS, ...LATE]);
  });
});

describe("keys whose second row came behind the cursor of the table", () => {
  it("are moved though the first row was passed by before it was there", async () => {
    bench.app.exec("UPDATE images SET id = id + 1000");
    const again = KEYS.slice(30);
    const act = () => {
      const insert = bench.app.prepare("INSERT INTO images (id, path) VALUES (?, ?)");
      for (const [i, key] of again.entries()) insert.run(i + 1, key);
    };
    const { id } = await bench.moveWhile({ operation: "CopyObject" }, act, { batchSize: 2 });
    await expectAllMoved(bench, id, KEYS);
  });
});

describe("a row that names the old key of an object that was moved", () => {
  const once = (act: () => void) => (time: number) => {
    if (time === 1) act();
  };

  it.each(["bucket", "database", "manifest"])("is pointed at the copy: %s", async (from) => {
    bench.store.putObject("bucket-b", "list", KEYS.join("\n"));
    const inventory = from === "manifest" ? { from, bucket: "bucket-b", key: "list" } : { from };
    const id = await moveAndOnceGone(
      once(() => bench.addRows([FIRST])),
      { inventory },
    );
    bench.store.deleteObject("bucket-b", "list");
    await expectAllMoved(bench, id, KEYS, 1);
    expect(bench.paths().at(-1)).toBe(moved(FIRST));
    expect(copiesMade(bench)).toBe(KEYS.length);
    expect((await bench.jobs.get(id)).rows.updated).toBe(KEYS.length + 1);
  });

  it("is an exception when the copy is not there any more", async () => {
    const id = await moveAndOnceGone(
      once(() => {
        bench.addRows([FIRST]);
        bench.store.deleteObject("bucket-b", moved(FIRST));
      }),
    );
    expect((await bench.jobs.get(id)).state).toBe("completed_with_exceptions");
    expect(await bench.exceptions(id)).toEqual({ [FIRST]: "source_missing" });
  });

  it("outside the reference's where is none of the job's", async () => {
    const act = once(() => bench.app.prepare("INSERT INTO images (path, legacy) VALUES (?, 7)").run(FIRST));
    const id = await moveAndOnceGone(act, { references: [{ ...IMAGES, where: { legacy: 1 } }] });
    expect(await bench.jobs.get(id)).toMatchObject({ state: "completed", objects: { planned: 60 } });
  });
});

describe("an object that is put again under its old key", () => {
  it("after it was moved is moved again, over our own older copy", async () => {
    const act = (time: number) => {
      if (time === 1) bench.store.putObject("bucket-a", FIRST, "newer");
    };
    const id = await moveAndOnceGone(act, { inventory: { from: "bucket" }, verify: "size" });
    await expectAllMoved(bench, id, KEYS, 1);
    expect(bodyOf(bench, "bucket-b", moved(FIRST))).toBe("newer");
  });

  it("of the same size is not taken for the copy that stands there", async () => {
    const same = `BODY of ${FIRST}`;
    const act = (time: number) => {
      if (time === 1) bench.store.putObject("bucket-a", FIRST, same);
    };
    const id = await moveAndOnceGone(act, { inventory: { from: "bucket" }, verify: "size" });
    await expectAllMoved(bench, id, KEYS, 1);
    expect(bodyOf(bench, "bucket-b", moved(FIRST))).toBe(same);
  });

  it("does not replace what somebody else has put at the new key since", async () => {
    const act = (time: number) => {
      if (time > 1) return;
      bench.store.putObject("bucket-a", FIRST, "newer");
      bench.store.putObject("bucket-b", moved(FIRST), "somebody else's");
    };
    const id = await moveAndOnceGone(act, { inventory: { from: "bucket" } });
    expect(await bench.exceptions(id)).toEqual({ [FIRST]: "target_changed" });
    expect(bodyOf(bench, "bucket-b", moved(FIRST))).toBe("somebody else's");
    expect(bodyOf(bench, "bucket-a", FIRST)).toBe("newer");
  });

  it("where sources are kept: only another version is moved", async () => {
    const job = { inventory: { from: "bucket" }, delete: { when: "never" } };
    expect(await bench.move(job)).toMatchObject({ state: "completed", objects: { planned: 60, moved: 60 } });
    expect(copiesMade(bench)).toBe(60);
    bench.store.requests.reset();
    bench.app.exec("UPDATE images SET path = 'image/' || substr(path, 8)");
    for (const key of KEYS) bench.store.deleteObject("bucket-b", moved(key));
    const { id } = await bench.moveWhile(
      {
        operation: "ListObjectsV2",
        bucket: "bucket-b",
        when: () => bench.store.listKeys("bucket-b").length === 60,
      },
      () => {
        bench.store.putObject("bucket-a", FIRST, "newer");
      },
      job,
    );
    expect(await bench.jobs.get(id)).toMatchObject({
      state: "completed",
      objects: { planned: 61, moved: 61 },
    });
    expect(bodyOf(bench, "bucket-b", moved(FIRST))).toBe("newer");
  });
});

describe("an application that goes on writing under the old prefix", () => {
  it("does not keep the job from its end: what is left is named, and a retry moves it", async () => {
    const put: string[] = [];
    const act = (time: number) => {
      // The main part, three rounds; then the batch of exceptions.
      if (time > 4) return;
      const key = `image/late-${time}.png`;
      put.push(key);
      fillStore(bench.store, "bucket-a", [key]);
      bench.addRows([key]);
    };
    const id = await moveAndOnceGone(act, { inventory: { from: "bucket" } });
    expect(await bench.jobs.get(id)).toMatchObject({
      state: "completed_with_exceptions",
      objects: { planned: 64, moved: 63, exceptions: 1 },
    });
    expect(await bench.exceptions(id)).toEqual({ "image/late-4.png": "left_behind" });
    expect(bench.store.listKeys("bucket-a")).toEqual(["image/late-4.png"]);
    await bench.retry(id);
    await expectAllMoved(bench, id, [...KEYS, ...put]);
  });
});
