/** Jobs out of the ordinary: filters, ways to verify. */

import { beforeAll, describe, expect, it } from "vitest";
import { type Answer, hasEnded, type Service } from "../support/service.ts";
import { movedKey, type Pair } from "../support/worlds/sandbox-world.ts";
import { imageKeys } from "../support/worlds/workbench.ts";
import { world, worldForAll } from "../support/worlds/world-for-all.ts";

const KEYS = imageKeys(30);

let service: Service;

worldForAll();
beforeAll(async () => {
  service = await world.serve();
});

async function move(pair: Pair, more: Record<string, unknown> = {}): Promise<Answer["body"]> {
  const job = { ...pair, batchSize: 10, delete: { when: "verified", after: "0s" }, ...more };
  const { status, body } = await service.call("POST", "/jobs", job);
  expect(status, JSON.stringify(body)).toBe(202);
  return service.poll(body.id, hasEnded, 30_000);
}

const sourceOf = ({ source }: Pair) => world.store.listKeys(source.bucket);
const targetOf = ({ target }: Pair) => world.store.listKeys(target.bucket);

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

  it.each(["etag", "size", "checksum"])("verifies by %s, multipart sources too", async (verify) => {
    const pair = world.buckets(`verify-${verify}`, KEYS.slice(0, 5));
    const body = "a body in four parts";
    world.store.putObject(pair.source.bucket, "image/parts.bin", body, { partBytes: 5 });
    const done = await move(pair, { verify });
    expect(done).toMatchObject({ state: "completed", objects: { planned: 6, moved: 6 } });
    expect(world.store.getObject(pair.target.bucket, "avatar/parts.bin")?.read().toString()).toBe(body);
    expect(sourceOf(pair)).toEqual([]);
  });
});
