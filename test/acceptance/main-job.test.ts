/** The main job with rows and ledger in MariaDB and objects in Ceph, checked by looking at buckets and rows. */

import type { RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fillBucket, listEverything } from "../support/buckets.ts";
import { type MainJobWorld, MISSING, moved, openMainJobWorld } from "../support/worlds/main-job-world.ts";

let world: MainJobWorld;
beforeAll(async () => {
  world = await openMainJobWorld({ rows: 6_000 });
}, 180_000);
afterAll(() => world?.close());

describe("the main job on MariaDB and Ceph", () => {
  it("moves what the rows name, and accounts for every odd one", async () => {
    await world.expectMoved(await world.run());
  }, 300_000);

  it("keeps content type, metadata and tags of every sampled object", () => world.expectKept(25));

  it("moves the objects no row names with a bucket inventory, and then no source is left", async () => {
    const { client, buckets, objects } = world;
    const done = await world.run({ name: "rest", inventory: { from: "bucket" } });
    expect(done).toMatchObject({ state: "completed", objects: { planned: 3, moved: 3, exceptions: 0 } });
    expect((await listEverything(client, buckets.source)).size).toBe(0);
    const target = await listEverything(client, buckets.target);
    expect(target).toEqual(new Map([...objects].map(([key, facts]) => [moved(key), facts])));
  });

  it("moves the missing one after it was restored and the job retried", async () => {
    const { client, buckets, service, app } = world;
    await fillBucket(client, buckets.source, [{ key: MISSING, body: "restored" }]);
    const list = await service.call("GET", "/jobs?state=completed_with_exceptions");
    const { id } = list.body.items[0];
    expect((await service.call("POST", `/jobs/${id}/retry`)).status).toBe(202);
    const done = await service.poll(id, (found) => found.state === "completed");
    expect(done.objects).toMatchObject({ exceptions: 0, moved: done.objects.planned });
    const [found] = await app.query<RowDataPacket[]>("SELECT path FROM images WHERE path = ?", [
      moved(MISSING),
    ]);
    expect(found).toEqual([{ path: moved(MISSING) }]);
    expect((await listEverything(client, buckets.source)).size).toBe(0);
  });
});
