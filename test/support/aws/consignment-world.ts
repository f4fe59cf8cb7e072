/** A bucket with objects, a double of S3 Batch Operations with a copying function, and engines that may be killed. */

import { CopyObjectCommand, HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { S3ControlClient } from "@aws-sdk/client-s3-control";
import type { BatchOperationsSettings } from "../../../src/engines/aws/batch-operations-settings.ts";
import { type CopyTask, decodeTask } from "../../../src/engines/aws/copy-task.ts";
import { LambdaEngine } from "../../../src/engines/aws/lambda-engine.ts";
import { encodeOutcome, type TaskOutcome } from "../../../src/engines/aws/task-outcome.ts";
import { decodeTerms } from "../../../src/engines/aws/user-arguments.ts";
import type { ConsignmentOrder, EngineWait } from "../../../src/ports/consignment-engine.ts";
import type { NumberedCopy } from "../../../src/ports/copy-engine.ts";
import type { CopyResult } from "../../../src/ports/object-store.ts";
import { type SandboxStore, startSandboxStore } from "../../../src/sandbox-s3/sandbox-store.ts";
import { systemClock } from "../../../src/stores/system-clock.ts";
import { connectTo, credentials } from "../sandbox-client.ts";
import type { Invoke } from "./batch-event.ts";
import type { BatchVariations } from "./batch-variations.ts";
import { type S3Control, startS3Control } from "./s3-control.ts";

export const ACCOUNT = "123456789012";

/** Short waits; everything else as deployed. */
export const SETTINGS: BatchOperationsSettings = {
  accountId: ACCOUNT,
  copyFunction: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:tranship-copy:7`,
  jobRole: `arn:aws:iam::${ACCOUNT}:role/tranship-job`,
  manifests: { bucket: "ops", prefix: "tranship/" },
  functionTimeoutMs: 20,
  reportWaitMs: 3_000,
  mostPollMs: 10,
  patienceMs: 5_000,
};

export const TERMS = {
  sourceBucket: "A",
  sourcePrefix: "avatar/",
  targetBucket: "B",
  targetPrefix: "avatars/v2 +%/",
  copyLogs: null,
  updates: null,
} as const;

/** Ends a process: the `step`-th call to the outside fails, before or after its effect, and so do all later ones. */
export class Life {
  steps = 0;
  #isOver = false;
  readonly #endsAt: number;
  readonly #when: "before" | "after";

  constructor(endsAt = Number.POSITIVE_INFINITY, when: "before" | "after" = "before") {
    this.#endsAt = endsAt;
    this.#when = when;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  async step<Result>(effect: () => Promise<Result> | Result): Promise<Result> {
    this.steps += 1;
    const isLast = this.steps === this.#endsAt;
    if (isLast && this.#when === "before") this.#isOver = true;
    if (this.#isOver) throw new Error("killed");
    try {
      return await effect();
    } finally {
      if (isLast) this.#isOver = true;
      // biome-ignore lint/correctness/noUnsafeFinally: a process that has ended sees neither result nor error
      if (this.#isOver) throw new Error("killed");
    }
  }

  /** `client`, whose requests are steps of this life. */
  client<Client extends { send: S3Client["send"] | S3ControlClient["send"] }>(client: Client): Client {
    const send = (...args: unknown[]) =>
      this.step(() => (client.send as (...all: unknown[]) => Promise<unknown>).apply(client, args));
    return new Proxy(client, {
      get: (target, name) => (name === "send" ? send : Reflect.get(target, name)),
    });
  }
}

/** What a consignment has given so far. */
export interface Given {
  readonly results: Map<number, CopyResult>;
  readonly saved: string[];
  readonly waits: (EngineWait | null)[];
  readonly progress: number[];
}

export class ConsignmentWorld {
  readonly store: SandboxStore;
  readonly s3: S3Client;
  readonly control: S3Control;
  /** How often each copy was asked for, by number. */
  readonly asked = new Map<number, number>();
  readonly copies: NumberedCopy[] = [];
  /** Takes the place of the copying function for a task; undefined: it copies. */
  outcomeOf: (task: CopyTask) => Promise<TaskOutcome | undefined> | TaskOutcome | undefined = () => undefined;
  readonly #controlClient: S3ControlClient;

  private constructor(store: SandboxStore, s3: S3Client, control: S3Control) {
    this.store = store;
    this.s3 = s3;
    this.control = control;
    this.#controlClient = new S3ControlClient({ ...control.client, credentials });
  }

  static async start(variations: Partial<BatchVariations> = {}, seed = 1): Promise<ConsignmentWorld> {
    const buckets = [{ name: "A" }, { name: "B" }, { name: "ops", encryption: { algorithm: "aws:kms" } }];
    const store = await startSandboxStore({ ...credentials, buckets });
    const s3 = connectTo(store);
    let world: ConsignmentWorld | null = null;
    const invoke: Invoke = (event) => (world as ConsignmentWorld).#invoke(event);
    const control = await startS3Control({ accountId: ACCOUNT, s3, invoke, variations, seed });
    world = new ConsignmentWorld(store, s3, control);
    return world;
  }

  async close(): Promise<void> {
    await this.control.close();
    this.#controlClient.destroy();
    this.s3.destroy();
    await this.store.close();
  }

  /** Writes objects of these names below the prefix, and orders their copies. */
  seed(names: readonly string[]): void {
    for (const name of names) {
      const key = TERMS.sourcePrefix + name;
      const { etag } = this.store.putObject("A", key, name);
      const size = Buffer.byteLength(name);
      const target = { bucket: "B", key: TERMS.targetPrefix + name };
      const source = { bucket: "A", key, etag, size };
      const request = { source, target, storageClass: null, onlyIfAbsent: true };
      this.copies.push({ number: 16_384 + this.copies.length, request });
    }
  }

  engine(life = new Life(), settings: Partial<BatchOperationsSettings> = {}): LambdaEngine {
    return new LambdaEngine({
      control: life.client(this.#controlClient),
      s3: life.client(this.s3),
      clock: systemClock,
      settings: { ...SETTINGS, ...settings },
      terms: TERMS,
    });
  }

  given(): Given {
    return { results: new Map(), saved: [], waits: [], progress: [] };
  }

  /** An order that continues after what `given` has saved. */
  order(
    given: Given,
    changes: Partial<ConsignmentOrder> = {},
    life = new Life(),
    notAfter: number | null = null,
  ) {
    const { copies } = this;
    const order: ConsignmentOrder = {
      consignment: {
        jobId: "job-1",
        id: 1,
        token: "token-1",
        objects: copies.length,
        notAfter,
        progress: given.saved.at(-1) ?? null,
      },
      limits: { concurrency: 8, requestsPerSecond: null },
      async *copies() {
        for (const copy of copies) yield await life.step(() => copy);
      },
      save: (progress) => life.step(() => void given.saved.push(progress)),
      onWait: (wait) => given.waits.push(wait),
      onProgress: (ended) => given.progress.push(ended),
      recall: new AbortController().signal,
      ...changes,
    };
    return order;
  }

  /** Carries the consignment on with an engine of its own, as a new process would. */
  carry(
    given: Given,
    changes: Partial<ConsignmentOrder> = {},
    { life = new Life(), notAfter = null, signal, settings = {} }: CarryTerms = {},
  ) {
    const order = this.order(given, changes, life, notAfter);
    const take = (number: number, result: CopyResult) =>
      life.step(() => {
        given.results.set(number, given.results.get(number) ?? result);
      });
    return this.engine(life, settings).carry(order, take, signal ?? new AbortController().signal);
  }

  async #invoke(event: Parameters<Invoke>[0]): ReturnType<Invoke> {
    const { notAfter } = decodeTerms(event.job.userArguments);
    const results = event.tasks.map(async ({ taskId, s3Key }) => {
      const task = decodeTask(s3Key);
      if (task === null) throw new Error(`no task: ${s3Key}`);
      this.asked.set(task.number, (this.asked.get(task.number) ?? 0) + 1);
      const isOver = notAfter !== null && Date.now() >= notAfter;
      const given = await this.outcomeOf(task);
      const outcome = isOver ? ({ kind: "held" } as const) : (given ?? (await this.#copy(task)));
      return { taskId, resultCode: "Succeeded", resultString: encodeOutcome(outcome) };
    });
    return {
      invocationSchemaVersion: "2.0",
      invocationId: event.invocationId,
      results: await Promise.all(results),
    };
  }

  async #copy({ key, etag }: CopyTask): Promise<TaskOutcome> {
    const target = { Bucket: "B", Key: TERMS.targetPrefix + key.slice(TERMS.sourcePrefix.length) };
    try {
      const { CopyObjectResult } = await this.s3.send(
        new CopyObjectCommand({
          ...target,
          CopySource: `A/${encodeURIComponent(key)}`,
          CopySourceIfMatch: `"${etag}"`,
          IfNoneMatch: "*",
        }),
      );
      return { kind: "copied", etag: CopyObjectResult?.ETag?.replaceAll('"', "") ?? "" };
    } catch (error) {
      if ((error as Error).name !== "PreconditionFailed") throw error;
      const { ETag } = await this.s3.send(new HeadObjectCommand(target));
      const isOwn = ETag === `"${etag}"`;
      return isOwn ? { kind: "copied", etag } : { kind: "precondition_failed" };
    }
  }
}

export interface CarryTerms {
  readonly life?: Life;
  readonly notAfter?: number | null;
  readonly signal?: AbortSignal;
  readonly settings?: Partial<BatchOperationsSettings>;
}
