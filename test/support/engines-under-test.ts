/** The three engines behind one call: numbered requests in, numbered results out. */

import type { S3Client } from "@aws-sdk/client-s3";
import { DomainError } from "../../src/domain/errors.ts";
import { openControlClient } from "../../src/engines/aws/control-client.ts";
import { CopyLogEngine } from "../../src/engines/aws/copy-log-engine.ts";
import { CopyLogs } from "../../src/engines/aws/copy-logs.ts";
import { LambdaEngine } from "../../src/engines/aws/lambda-engine.ts";
import { ServiceEngine } from "../../src/engines/service-engine.ts";
import { limitConcurrency } from "../../src/pacing/concurrency.ts";
import type { ConsignmentEngine, ConsignmentOrder } from "../../src/ports/consignment-engine.ts";
import type { CopyEngine, NumberedCopy, OnCopyResult } from "../../src/ports/copy-engine.ts";
import { type CopyRequest, type CopyResult, noRequests } from "../../src/ports/object-store.ts";
import type { SeedOptions } from "../../src/sandbox-s3/buckets/seeding.ts";
import { type SandboxStore, startSandboxStore } from "../../src/sandbox-s3/sandbox-store.ts";
import { openS3Client } from "../../src/stores/s3/client/s3-client.ts";
import { S3ObjectStore } from "../../src/stores/s3/s3-object-store.ts";
import { systemClock } from "../../src/stores/system-clock.ts";
import { ACCOUNT, type Deployment, startDeployment } from "./aws/deployment.ts";
import { createdMessage } from "./aws/events/s3-events.ts";
import { credentials } from "./sandbox-client.ts";

export const engineNames = ["service", "lambda", "lambda-copy-log"] as const;
export type EngineName = (typeof engineNames)[number];

const CONCURRENCY = 8;
const REGION = "us-east-1";
/** Everything that a number was given, in order. */
export type Results = ReadonlyMap<number, readonly CopyResult[]>;

export interface EngineUnderTest {
  readonly store: SandboxStore;
  /** Puts `image/…` into the source bucket. */
  put(key: string, options?: SeedOptions): void;
  /** Requests to copy the objects that are there now to `avatar/…`; `more` replaces parts of them. */
  requests(keys: readonly string[], more?: Partial<CopyRequest>): NumberedCopy[];
  /** Copies, and throws what the engine throws. */
  results(requests: readonly NumberedCopy[]): Promise<Results>;
  /** Copies; what the engine throws is an answer as well. */
  attempt(
    requests: readonly NumberedCopy[],
    signal?: AbortSignal,
  ): Promise<{ readonly results: Results; readonly error: unknown }>;
  /** From now on, where functions copy: each fifth invocation is killed, and some are doubled. Until the next reset. */
  disturb(): void;
  /** Empties the buckets, ends all faults. */
  reset(): void;
  close(): Promise<void>;
}

export async function openEngineUnderTest(name: EngineName): Promise<EngineUnderTest> {
  const buckets = [{ name: "from" }, { name: "to", versioned: true }, { name: "ops" }];
  const store = await startSandboxStore({ ...credentials, buckets });
  const config = { ...credentials, endpoint: store.url, region: REGION, forcePathStyle: true };
  const client = openS3Client(config);
  const objects = new S3ObjectStore({ client, endpoint: store.url, counts: noRequests() });
  const service = new ServiceEngine(objects, limitConcurrency(CONCURRENCY));
  let every = Number.POSITIVE_INFINITY;
  const setDuplicates = (duplicates: number) => {
    if (deployment !== null) deployment.control.variations = { ...deployment.control.variations, duplicates };
  };
  const deployment = name === "service" ? null : await deploy(store, name, () => every);
  const engine =
    deployment === null
      ? service
      : asCopyEngine(() => openAwsEngine(name, deployment, client), service, deployment);
  const attempt: EngineUnderTest["attempt"] = async (requests, signal = new AbortController().signal) => {
    const results = new Map<number, CopyResult[]>();
    const note: OnCopyResult = (number, result) => {
      results.set(number, [...(results.get(number) ?? []), result]);
    };
    try {
      await engine.copy(requests, note, signal);
      return { results, error: null };
    } catch (error) {
      return { results, error };
    }
  };
  return {
    store,
    put: (key, options) => void store.putObject("from", key, `body of ${key}`, options),
    requests: (keys, more = {}) =>
      keys.map((key, n) => ({ number: n, request: requestFor(store, key, more) })),
    attempt,
    async results(requests) {
      const { results, error } = await attempt(requests);
      if (error !== null) throw error;
      return results;
    },
    disturb() {
      every = 5;
      setDuplicates(0.3);
    },
    reset() {
      setDuplicates(0);
      every = Number.POSITIVE_INFINITY;
      store.faults.clear();
      for (const bucket of ["from", "to"])
        for (const { key, versionId } of store.listVersions(bucket))
          store.deleteObject(bucket, key, versionId);
      store.requests.reset();
    },
    async close() {
      await deployment?.close();
      client.destroy();
      await store.close();
    },
  };
}

function requestFor(store: SandboxStore, key: string, more: Partial<CopyRequest>): CopyRequest {
  const object = store.getObject("from", key)!;
  return {
    source: { bucket: "from", key, etag: object.etag, size: object.size },
    target: { bucket: "to", key: key.replace("image/", "avatar/") },
    storageClass: object.storageClass === "GLACIER" ? null : (object.storageClass ?? null),
    onlyIfAbsent: true,
    ...more,
  };
}

/** Functions on one of two variations of S3 Batch Operations; copies are events where the engine has a table. */
async function deploy(store: SandboxStore, name: EngineName, every: () => number): Promise<Deployment> {
  const deployment: Deployment = await startDeployment({
    s3: { ...credentials, endpoint: store.url, region: REGION },
    manifests: "ops",
    withCopyLogs: name === "lambda-copy-log",
    variations: { tasksPerEvent: 5, redrives: 1, space: name === "lambda" ? "+" : "%20" },
    copyFunction: {
      concurrency: CONCURRENCY,
      timeoutMs: 20_000,
      disturb: (count) => (count % every() === 0 ? { kind: "kill", afterMs: 5 } : null),
    },
    onCopied: (object) => void deployment.events?.queue.send(createdMessage(object)).catch(() => {}),
  });
  return deployment;
}

function openAwsEngine(
  name: EngineName,
  { control, events, section }: Deployment,
  s3: S3Client,
): ConsignmentEngine {
  const access = { region: REGION, credentials };
  const lambda = new LambdaEngine({
    control: openControlClient({ ...access, endpoint: `http://127.0.0.1:${control.port}` }),
    s3,
    clock: systemClock,
    settings: {
      accountId: ACCOUNT,
      copyFunction: String(section.copyFunction),
      jobRole: String(section.jobRole),
      manifests: { bucket: "ops", prefix: "tranship/" },
      functionTimeoutMs: 200,
      mostPollMs: 20,
    },
    terms: {
      ...{ sourceBucket: "from", sourcePrefix: "image/", targetBucket: "to", targetPrefix: "avatar/" },
      ...{ copyLogs: events?.table.name ?? null, updates: null },
    },
  });
  if (name === "lambda" || events === null) return lambda;
  const { client, name: table } = events.table;
  return new CopyLogEngine(lambda, new CopyLogs(client, table, { clock: systemClock, mostMs: 5_000 }));
}

/**
 * Carries each call's requests as one consignment, as the conveyor does: what the engine objects to is copied by `service`,
 * what is known early is taken, records are forgotten at the end, and a stop recalls the consignment first.
 */
function asCopyEngine(
  open: () => ConsignmentEngine,
  service: CopyEngine,
  { events }: Deployment,
): CopyEngine {
  let calls = 0;
  return {
    async copy(requests, onResult, signal) {
      calls += 1;
      const engine = open();
      const accepted = requests.filter(({ request }) => engine.objection(request) === null);
      const others = requests.filter((one) => !accepted.includes(one));
      let progress: string | null = null;
      const order: ConsignmentOrder = {
        consignment: {
          ...{
            jobId: `job-${calls}`,
            id: 1,
            token: `token-${calls}`,
            objects: accepted.length,
            notAfter: null,
          },
          get progress() {
            return progress;
          },
        },
        limits: { concurrency: CONCURRENCY, requestsPerSecond: null },
        async *copies() {
          yield* accepted;
        },
        save: async (saved) => {
          progress = saved;
        },
        onWait() {},
        onProgress() {},
        recall: signal,
      };
      const known = async () => {
        await engine.known?.(accepted, onResult, signal);
      };
      const carrying = engine.carry(order, onResult, new AbortController().signal);
      carrying.catch(() => {});
      await known();
      const end = await carrying;
      if (events !== null) await events.poller.drained();
      if (end.kind === "recalled") throw new DomainError("stopped", "the consignment was recalled");
      await service.copy(others, onResult, signal);
      await engine.forget?.(accepted, signal);
    },
  };
}
