/** Jobs out of the ordinary: filters, trial runs, conflict policies, ways to verify, sources that stay. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, hasEnded, type Service } from "../support/service.ts";
import { movedKey, openSandboxWorld, type Pair, type SandboxWorld } from "../support/worlds/sandbox-world.ts";
import { imageKeys } from "../support/worlds/workbench.ts";

const KEYS = imageKeys(30);

let world: SandboxWorld;
let service: Service;

beforeAll(async () => {
  world = await openSandboxWorld();
  service = await world.serve();
});

afterAll(() => world.close());

async function move(pair: Pair, more: Record<string, unknown> = {}): Promise<Answer["body"]> {
  const job = { ...pair, batchSize: 10, delete: { when: "verified", after: "0s" }, ...more };
  const { status, body } = await service.call("POST", "/jobs", job);
  expect(status, JSON.stringify(body)).toBe(202);
  return service.poll(body.id, hasEnded, 30_000);
}

async function codesOf({ id }: { id: string }): Promise<Record<string, string>> {
  const { body } = await service.call("GET", `/jobs/${id}/exceptions`);
  return Object.fromEntries(body.items.map((item: { key: string; code: string }) => [item.key, item.code]));
}

const sourceOf = ({ source }: Pair) => world.store.listKeys(source.bucket);
const targetOf = ({ target }: Pair) => world.store.listKeys(target.bucket);
const read = (bucket: string, key: string) => world.store.getObject(bucket, key)?.read().toString();

describe.concurrent("an odd job", () => {
  it("moves only what its filter lets through", async () => {
    const kept = ["image/tmp/a.png", "image/sub/note.txt", "image/b.PNG", "image/sub/new.png"];
    const wanted = ["image/a.png", "image/sub/.hidden.png", "image/sub/deep/ü [1].png"];
    const pair = world.buckets("filter", [...kept, ...wanted]);
    const old = { lastModified: new Date("2026-01-01T00:00:00Z") };
    for (const key of [...kept.slice(0, 3), ...wanted]) {
      world.store.putObject("filter-a", key, `body of ${key}`, old);
    }
    const recent = { lastModified: new Date("2026-11-01T00:00:00Z") };
    world.store.putObject("filter-a", "image/sub/new.png", "new", recent);
    const filter = { include: ["**/*.png"], exclude: ["tmp/**"], modifiedBefore: "2026-11-01T00:00:00Z" };
    const done = await move(pair, { filter });
    expect(done).toMatchObject({ state: "completed", objects: { moved: 3, exceptions: 0 } });
    expect(targetOf(pair)).toEqual(wanted.map(movedKey).sort());
    expect(sourceOf(pair)).toEqual([...kept].sort());
  });

  it("moves the first so many as a trial, and a later job does the rest", async () => {
    const pair = world.buckets("trial", KEYS);
    const trial = await move(pair, { maxObjects: 12 });
    expect(trial).toMatchObject({ state: "completed", objects: { planned: 12, moved: 12 } });
    expect(targetOf(pair)).toEqual(KEYS.slice(0, 12).map(movedKey));
    expect(sourceOf(pair)).toEqual(KEYS.slice(12));
    expect(await move(pair)).toMatchObject({ state: "completed", objects: { planned: 18, moved: 18 } });
    expect(targetOf(pair)).toEqual(KEYS.map(movedKey));
    expect(sourceOf(pair)).toEqual([]);
  });

  const [same = "", other = ""] = KEYS;
  const policies = {
    fail: { moved: 28, codes: { [same]: "target_exists", [other]: "target_exists" } },
    "skip-identical": { moved: 29, codes: { [other]: "target_exists" } },
    overwrite: { moved: 30, codes: {} },
  };
  for (const [onConflict, { moved, codes }] of Object.entries(policies)) {
    it(`meets existing targets with the policy ${onConflict}`, async () => {
      const pair = world.buckets(`conflict-${onConflict}`, KEYS);
      const { bucket } = pair.target;
      world.store.putObject(bucket, movedKey(same), `body of ${same}`);
      world.store.putObject(bucket, movedKey(other), "somebody else's");
      const done = await move(pair, { onConflict });
      expect(done.state).toBe(moved === 30 ? "completed" : "completed_with_exceptions");
      expect(await codesOf(done)).toEqual(codes);
      expect(done.objects).toMatchObject({ planned: 30, moved, exceptions: 30 - moved });
      expect(sourceOf(pair)).toEqual(Object.keys(codes));
      expect(read(bucket, movedKey(same))).toBe(`body of ${same}`);
      const overwritten = onConflict === "overwrite";
      expect(read(bucket, movedKey(other))).toBe(overwritten ? `body of ${other}` : "somebody else's");
      expect(targetOf(pair)).toEqual(KEYS.map(movedKey));
      const copies = { fail: 28, "skip-identical": 28, overwrite: 30 }[onConflict];
      expect(world.store.requests.count("CopyObject", bucket)).toBe(copies);
    });
  }

  for (const verify of ["etag", "size", "checksum"]) {
    it(`verifies by ${verify}, multipart sources too`, async () => {
      const pair = world.buckets(`verify-${verify}`, KEYS.slice(0, 5));
      const body = "a body in four parts";
      world.store.putObject(pair.source.bucket, "image/parts.bin", body, { partBytes: 5 });
      const done = await move(pair, { verify });
      expect(await codesOf(done)).toEqual({});
      expect(done).toMatchObject({ state: "completed", objects: { planned: 6, moved: 6 } });
      expect(read(pair.target.bucket, "avatar/parts.bin")).toBe(body);
      expect(sourceOf(pair)).toEqual([]);
    });

    it(`keeps the source of a copy that is lost before it is verified by ${verify}`, async () => {
      const pair = world.buckets(`lost-${verify}`, KEYS.slice(0, 5));
      const lost = KEYS[2] ?? "";
      // The copy is answered, and then taken away by somebody else.
      const hold = world.store.faults.hold({
        operation: "ListObjectsV2",
        bucket: pair.target.bucket,
        when: () => world.store.getObject(pair.target.bucket, movedKey(lost)) !== undefined,
      });
      const ending = move(pair, { verify });
      await hold.arrival(1);
      world.store.deleteObject(pair.target.bucket, movedKey(lost));
      hold.release();
      const done = await ending;
      const kept = done.state === "completed" ? [] : [lost];
      expect(sourceOf(pair)).toEqual(kept);
      for (const key of KEYS.slice(0, 5)) {
        const at = kept.includes(key)
          ? read(pair.source.bucket, key)
          : read(pair.target.bucket, movedKey(key));
        expect(at).toBe(`body of ${key}`);
      }
    });
  }

  it("keeps all sources when it is to delete never", async () => {
    const pair = world.buckets("never", KEYS);
    const done = await move(pair, { delete: { when: "never" } });
    expect(done).toMatchObject({ state: "completed", objects: { moved: 30 }, waiting: null });
    expect(sourceOf(pair)).toEqual(KEYS);
    expect(targetOf(pair)).toEqual(KEYS.map(movedKey));
    expect(world.store.requests.count("DeleteObjects", "never-a")).toBe(0);
  });

  it("keeps what belongs to an object: type, metadata, tags, and storage class", async () => {
    const pair = world.buckets("facts", []);
    const tags = { kind: "photo", "a b": "c+d" };
    const metadata = { origin: "camera", note: "two words" };
    const options = { contentType: "image/x-odd", cacheControl: "max-age=60", metadata, tags };
    world.store.putObject("facts-a", "image/x.png", "x", { ...options, storageClass: "STANDARD_IA" });
    expect(await move(pair)).toMatchObject({ state: "completed" });
    const found = world.store.getObject("facts-b", "avatar/x.png");
    expect(found).toMatchObject({ contentType: "image/x-odd", metadata, tags, storageClass: "STANDARD_IA" });
    expect(found?.attributes.cacheControl).toBe("max-age=60");
  });

  it("moves a whole bucket to a prefix, and a prefix to the root of another", async () => {
    const pair = world.buckets("root", ["a/1", "b/2", "image/3"]);
    world.store.createBucket("root-c");
    const whole = { source: { bucket: "root-a", prefix: "" }, target: { bucket: "root-b", prefix: "all/" } };
    expect(await move(whole)).toMatchObject({ state: "completed", objects: { moved: 3 } });
    expect(targetOf(pair)).toEqual(["all/a/1", "all/b/2", "all/image/3"]);
    const back = { source: whole.target, target: { bucket: "root-c", prefix: "" } };
    expect(await move(back)).toMatchObject({ state: "completed", objects: { moved: 3 } });
    expect(world.store.listKeys("root-c")).toEqual(["a/1", "b/2", "image/3"]);
  });
});
