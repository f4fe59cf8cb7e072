/** The executable with the engine `lambda`: sandbox store, double of S3 Batch Operations, and copying functions in this process. */

import { join } from "node:path";
import { answerEvent } from "../../../src/lambda/answer-event.ts";
import type { CopyPorts } from "../../../src/lambda/copy-ports.ts";
import { S3CopyStore } from "../../../src/lambda/s3-copy-store.ts";
import { systemClock } from "../../../src/stores/system-clock.ts";
import { AWS_SECTION } from "../aws-settings.ts";
import { connectTo } from "../sandbox-client.ts";
import { type Service, spawnTranship, startService } from "../service.ts";
import { KEYS, movedKey, openSandboxWorld, pathsOf, type SandboxWorld } from "../worlds/sandbox-world.ts";
import { fillStore, imageKeys } from "../worlds/workbench.ts";
import type { BatchVariations } from "./batch-variations.ts";
import { type S3Control, startS3Control } from "./s3-control.ts";

const SHIFT = join(import.meta.dirname, "../clocks/shift-clock.mjs");

/** Tests that run at once start their services one after the other: two might be given the same free port. */
let lastStart: Promise<unknown> = Promise.resolve();

/** A copy that the target's store received. */
export interface SeenCopy {
  readonly key: string;
  /** Epoch ms, by the services' clock. */
  readonly at: number;
}

export interface LambdaServiceOptions {
  readonly objects: number;
  /** How far the clock of services and functions is ahead of the machine's, ms. */
  readonly aheadMs?: number;
  /** What a copy takes in the store, ms. */
  readonly copyMs?: number;
  readonly variations?: Partial<BatchVariations>;
}

export interface LambdaService {
  readonly world: SandboxWorld;
  readonly control: S3Control;
  readonly copies: readonly SeenCopy[];
  /** By the services' clock. */
  now(): number;
  /** Starts a service; all have the same ledger. */
  serve(): Promise<Service>;
  /** Submits the job to move `image/` to `avatar/`. */
  submit(service: Service, job?: Record<string, unknown>): Promise<string>;
  /** Copies take no time from now on. */
  hurry(): void;
  /** What is wrong with the end of the job: objects, rows, copies made twice. */
  faults(): string[];
  close(): Promise<void>;
}

export async function openLambdaService({
  objects,
  aheadMs = 0,
  copyMs = 0,
  variations = {},
}: LambdaServiceOptions): Promise<LambdaService> {
  const world = await openSandboxWorld();
  const { store } = world;
  const keys = imageKeys(objects);
  for (const bucket of ["bucket-a", "bucket-b", "ops"]) store.createBucket(bucket);
  fillStore(store, "bucket-a", keys);
  const { url, app } = world.table("app", keys);
  const now = () => Date.now() + aheadMs;

  const copies: SeenCopy[] = [];
  const note = ({ target }: { readonly target: { readonly key: string } }) => {
    copies.push({ key: target.key, at: now() });
    return false;
  };
  store.faults.add({
    operation: "CopyObject",
    bucket: "bucket-b",
    effect: { type: "latency", delay: 0 },
    when: note,
  });
  let isSlow = copyMs > 0;
  const slow = { type: "latency", delay: copyMs } as const;
  store.faults.add({ operation: "CopyObject", effect: slow, when: () => isSlow });

  const s3 = connectTo(store, { credentials: { ...KEYS } });
  const ports: CopyPorts = {
    store: new S3CopyStore(s3),
    clock: {
      now,
      monotonic: () => systemClock.monotonic(),
      sleep: (ms, signal) => systemClock.sleep(ms, signal),
    },
    random: Math.random,
    log: () => {},
  };
  const control = await startS3Control({
    ...{ accountId: AWS_SECTION.accountId, s3, variations },
    invoke: (event) => answerEvent(ports, event, 60_000),
  });
  const endpoint = `http://127.0.0.1:${control.port}`;
  const aws = {
    ...AWS_SECTION,
    functionTimeoutSeconds: 1,
    endpoints: { s3control: endpoint, lambda: endpoint },
  };
  const env = { NODE_OPTIONS: `--import=${SHIFT}`, SHIFT_CLOCK_MS: String(aheadMs) };
  const started: Service[] = [];
  return {
    ...{ world, control, copies, now },
    async serve() {
      const config = world.config({ stores: { main: { ...world.main, aws } }, databases: { app: url } });
      const spawn: typeof spawnTranship = (args, options) => spawnTranship(args, { ...options, env });
      const start = () => startService({ leaseSeconds: 2, ...config }, world.directory, spawn);
      const service = lastStart.then(start);
      lastStart = service.catch(() => {});
      started.push(await service);
      return service;
    },
    async submit(service, job = {}) {
      const { status, body } = await service.call("POST", "/jobs", {
        source: { bucket: "bucket-a", prefix: "image/" },
        target: { bucket: "bucket-b", prefix: "avatar/" },
        references: [{ database: "app", table: "images", key: "id", column: "path" }],
        delete: { when: "verified", after: "0s" },
        ...{ engine: "lambda", batchSize: 100, ...job },
      });
      if (status !== 202) throw new Error(JSON.stringify(body));
      return body.id;
    },
    hurry() {
      isSlow = false;
    },
    faults() {
      const moved = keys.map(movedKey);
      const made = copies.map(({ key }) => key);
      const expected = {
        left: [store.listKeys("bucket-a"), []],
        moved: [store.listKeys("bucket-b"), moved],
        rows: [pathsOf(app), moved],
        copies: [made.toSorted(), moved],
      };
      return Object.entries(expected).flatMap(([name, [is, shouldBe]]) =>
        JSON.stringify(is) === JSON.stringify(shouldBe)
          ? []
          : [`${name}: ${is?.length} of ${shouldBe?.length}`],
      );
    },
    async close() {
      await Promise.all(started.map((service) => service.kill("SIGKILL")));
      await control.close();
      s3.destroy();
      await world.close();
    },
  };
}
