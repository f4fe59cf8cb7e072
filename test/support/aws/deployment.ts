/**
 * What an account on AWS has for the engines, beside an S3 server that is there already: S3 Batch Operations, function 1 and,
 * where wanted, table, queue and function 2; the functions as they are packaged, in processes of their own.
 */

import { S3, type S3Client } from "@aws-sdk/client-s3";
import { decodeTask } from "../../../src/engines/aws/copy-task.ts";
import { decodeOutcome } from "../../../src/engines/aws/task-outcome.ts";
import { decodeTerms } from "../../../src/engines/aws/user-arguments.ts";
import type { S3Facts } from "../servers/ceph.ts";
import type { BatchEvent, BatchResponse, Invoke } from "./batch-event.ts";
import type { BatchVariations } from "./batch-variations.ts";
import { packageOf, startCopyFunction } from "./copy-function.ts";
import { type CopyLogsTable, startCopyLogsTable } from "./events/copy-logs-table.ts";
import { type EventQueue, startEventQueue } from "./events/event-queue.ts";
import { type QueuePoller, startPoller } from "./events/queue-poller.ts";
import type { EventObject } from "./events/s3-events.ts";
import { type LambdaOptions, type LambdaRuntime, startLambda } from "./lambda-runtime.ts";
import { type S3Control, startS3Control } from "./s3-control.ts";

export const ACCOUNT = "123456789012";

export interface DeploymentOptions {
  readonly s3: Pick<S3Facts, "endpoint" | "region" | "accessKeyId" | "secretAccessKey">;
  /** The bucket of manifests, which exists. */
  readonly manifests: string;
  /** Whether there are table, queue and function 2. */
  readonly withCopyLogs: boolean;
  readonly seed?: number;
  readonly variations?: Partial<BatchVariations>;
  /** Of function 1: its time-out, and what disturbs its invocations. */
  readonly copyFunction?: Pick<LambdaOptions, "timeoutMs" | "disturb" | "concurrency">;
  /** Called with each object that function 1 has told to be copied: for stores that send no events. */
  readonly onCopied?: (object: EventObject) => void;
}

export interface Deployment {
  readonly control: S3Control;
  /** Function 1. */
  readonly copier: LambdaRuntime;
  readonly events: {
    readonly table: CopyLogsTable;
    readonly queue: EventQueue;
    readonly poller: QueuePoller;
  } | null;
  /** For `stores.NAME.aws` of the configuration. */
  readonly section: Record<string, unknown>;
  close(): Promise<void>;
}

export async function startDeployment(options: DeploymentOptions): Promise<Deployment> {
  const { s3: facts, withCopyLogs, manifests, seed = 1, variations = {} } = options;
  const { region, endpoint, accessKeyId, secretAccessKey } = facts;
  const s3 = new S3({
    ...{ endpoint, region, forcePathStyle: true },
    credentials: { accessKeyId, secretAccessKey },
  });
  const events = withCopyLogs ? await startEvents() : null;
  const copier = startCopyFunction(await packageOf("copy-object"), facts, {
    ...options.copyFunction,
    env: events === null ? {} : { AWS_ENDPOINT_URL_DYNAMODB: events.table.endpoint },
  });
  const invoke = invocations(copier, options.onCopied);
  const control = await startS3Control({ accountId: ACCOUNT, s3, invoke, seed, variations });
  return {
    control,
    copier,
    events,
    section: {
      accountId: ACCOUNT,
      copyFunction: `arn:aws:lambda:${region}:${ACCOUNT}:function:tranship-copy:7`,
      jobRole: `arn:aws:iam::${ACCOUNT}:role/tranship-batch`,
      manifests: { bucket: manifests, prefix: "tranship/" },
      functionTimeoutSeconds: 1,
      endpoints: {
        s3control: `http://127.0.0.1:${control.port}`,
        ...(events === null ? {} : { dynamodb: events.table.endpoint }),
      },
    },
    close: () => close(control, copier, events, s3),
  };
}

/** Invokes function 1 as S3 does. */
function invocations(copier: LambdaRuntime, onCopied: DeploymentOptions["onCopied"]): Invoke {
  return async (event) => {
    const invoked = await copier.invoke(event);
    if ("functionError" in invoked) throw new Error(JSON.stringify(invoked.functionError));
    const response = invoked.payload as BatchResponse;
    if (onCopied !== undefined) for (const object of copiedObjects(event, response)) onCopied(object);
    return response;
  };
}

function* copiedObjects(event: BatchEvent, response: BatchResponse): Generator<EventObject> {
  const { sourcePrefix, targetBucket, targetPrefix } = decodeTerms(event.job.userArguments);
  for (const { taskId, resultCode, resultString = "" } of response.results) {
    const outcome = resultCode === "Succeeded" ? decodeOutcome(resultString) : null;
    const task = decodeTask(event.tasks.find((one) => one.taskId === taskId)?.s3Key ?? "");
    if (outcome?.kind !== "copied" || task === null) continue;
    const key = targetPrefix + task.key.slice(sourcePrefix.length);
    yield { bucket: targetBucket, key, etag: outcome.etag, size: task.size };
  }
}

async function startEvents() {
  const table = await startCopyLogsTable();
  const queue = await startEventQueue({ visibilitySeconds: 2, mostReceives: 5 });
  const flagger = startLambda({
    zip: await packageOf("object-landed"),
    handler: "object-landed.handler",
    timeoutMs: 10_000,
    concurrency: 1,
    env: {
      AWS_REGION: table.region,
      AWS_ACCESS_KEY_ID: table.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: table.credentials.secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: table.endpoint,
    },
  });
  const flag = async (event: unknown) => {
    const invoked = await flagger.invoke(event);
    if ("functionError" in invoked) throw new Error(JSON.stringify(invoked.functionError));
    return invoked.payload;
  };
  return { table, queue, flagger, poller: startPoller(queue, flag, { batchSize: 100 }) };
}

async function close(
  control: S3Control,
  copier: LambdaRuntime,
  events: Awaited<ReturnType<typeof startEvents>> | null,
  s3: S3Client,
): Promise<void> {
  // Its invocations end with the function's processes.
  await Promise.all([control.close(), copier.close()]);
  s3.destroy();
  if (events === null) return;
  await events.poller.stop();
  await events.flagger.close();
  await events.queue.close();
  await events.table.close();
}
