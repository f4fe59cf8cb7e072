/** The main job with an engine of choice: the deployment that it needs, beside the main job's world. */

import { inject } from "vitest";
import type { BatchVariations } from "../aws/batch-variations.ts";
import { type Deployment, startDeployment } from "../aws/deployment.ts";
import { type BucketEvents, startBucketEvents } from "../aws/events/bucket-events.ts";
import { copySource } from "../buckets.ts";
import { type MainJobWorld, openMainJobWorld } from "./main-job-world.ts";

export interface EngineRun {
  readonly world: MainJobWorld;
  /** Null for the engine `service`. */
  readonly deployment: Deployment | null;
  /** Null where no event of the bucket arrives. */
  readonly events: BucketEvents | null;
  close(): Promise<void>;
}

export interface EngineRunOptions {
  readonly rows: number;
  readonly engine: "service" | "lambda" | "lambda-copy-log";
  /** Whether the target bucket's events reach the queue. */
  readonly hasEvents?: boolean;
  readonly variations?: Partial<BatchVariations>;
}

export async function openEngineRun(options: EngineRunOptions): Promise<EngineRun> {
  const { rows, engine, hasEvents = false, variations = {} } = options;
  const s3 = inject("s3");
  let deployment: Deployment | null = null;
  const deploy = async (manifests: string) => {
    deployment = await startDeployment({
      ...{ s3, manifests, variations },
      withCopyLogs: engine === "lambda-copy-log",
      copyFunction: { timeoutMs: 20_000, concurrency: 8 },
    });
    return deployment.section;
  };
  const world = await openMainJobWorld(
    engine === "service" ? { rows } : { rows, aws: ({ ops }) => deploy(ops) },
  );
  const deployed = deployment as Deployment | null;
  const events = hasEvents
    ? await startBucketEvents(s3, world.client, world.buckets.target, {
        prefix: "avatar/",
        deliver: async (message) => deployed?.events?.queue.send(message),
      })
    : null;
  return {
    ...{ world, deployment: deployed, events },
    async close() {
      await world.close();
      await events?.close();
      await deployed?.close();
    },
  };
}

/** Resolves when events arrive: Ceph looks for new topics every 30 s. A foreign object is copied for it and deleted again. */
export async function untilEventsArrive({ world, events }: EngineRun): Promise<void> {
  const Bucket = world.buckets.target;
  const Key = "avatar/foreign";
  await world.client.putObject({ Bucket, Key: "elsewhere", Body: "x" });
  await world.client.copyObject({ Bucket, Key, CopySource: copySource(Bucket, "elsewhere") });
  await world.client.deleteObject({ Bucket, Key });
  await world.client.deleteObject({ Bucket, Key: "elsewhere" });
  const until = performance.now() + 60_000;
  while (events?.received.length === 0) {
    if (performance.now() > until) throw new Error("no event has arrived");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
