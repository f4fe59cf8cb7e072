/**
 * A deployment on doubles: a sandbox store behind a front that adds notifications, policies and Regions of buckets, the parts
 * of the Lambda API that `tranship aws` uses, the copying function in this process, and the table on dynalite.
 */

import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3ControlClient } from "@aws-sdk/client-s3-control";
import { CopyLogs } from "../../../src/engines/aws/copy-logs.ts";
import { AwsDeployment } from "../../../src/engines/aws/deployment/aws-deployment.ts";
import { readNotification } from "../../../src/engines/aws/deployment/notification-entries.ts";
import { observe } from "../../../src/engines/aws/deployment/observed-client.ts";
import { LambdaEngine } from "../../../src/engines/aws/lambda-engine.ts";
import { answerEvent } from "../../../src/lambda/answer-event.ts";
import type { CopyPorts } from "../../../src/lambda/copy-ports.ts";
import { recordedCopies } from "../../../src/lambda/recorded-copies.ts";
import { S3CopyStore } from "../../../src/lambda/s3-copy-store.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { SeenExchange } from "../../../src/ports/deployment.ts";
import { type SandboxStore, startSandboxStore } from "../../../src/sandbox-s3/sandbox-store.ts";
import { systemClock } from "../../../src/stores/system-clock.ts";
import { connectTo, credentials } from "../sandbox-client.ts";
import type { BatchEvent } from "./batch-event.ts";
import { type CopyLogsTable, startCopyLogsTable } from "./events/copy-logs-table.ts";
import { startS3Control } from "./s3-control.ts";
import { ACCOUNT, type Deployed, QUEUE, REGION, usualDeployment } from "./usual-deployment.ts";

export interface DeployedWorld {
  readonly deployed: Deployed;
  readonly store: SandboxStore;
  readonly table: CopyLogsTable;
  /** Where a configuration finds the services. */
  readonly endpoints: {
    readonly s3: string;
    readonly lambda: string;
    readonly dynamodb: string;
    readonly s3control: string;
  };
  /** With a hundred times the speed of time where `isFast`. */
  deployment(isFast?: boolean): AwsDeployment;
  close(): Promise<void>;
}

interface LambdaAnswer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: string;
}

/** What paths of the Lambda API begin with. */
const DATE = /^\d{4}-\d\d-\d\d$/;

const isFound = (xml: string) =>
  (readNotification(xml)?.entries ?? []).some((one) => one.destination === QUEUE);

/** `manifests` is the bucket of manifests and reports. */
export async function startDeployedWorld(manifests = "ops"): Promise<DeployedWorld> {
  const buckets = ["bucket-a", "bucket-b", manifests].map((name) => ({ name }));
  const store = await startSandboxStore({ ...credentials, region: REGION, buckets });
  const table = await startCopyLogsTable();
  const logs = new CopyLogs(table.client, table.name, { clock: systemClock, mostMs: 5_000 });
  const deployed = usualDeployment();
  const front = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  const s3 = connectTo(store, { endpoint: url, region: REGION });
  const ports: CopyPorts = {
    store: new S3CopyStore(s3),
    clock: systemClock,
    random: Math.random,
    copyLog: () => recordedCopies(logs),
    log: () => {},
  };
  const invoke = (event: unknown) => answerEvent(ports, event, 60_000);
  const control = await startS3Control({
    accountId: ACCOUNT,
    s3,
    invoke: (event: BatchEvent) => invoke(event),
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search } = new URL(request.url ?? "/", url);
    const [, bucket = "", ...key] = pathname.split("/");
    const query = search.slice(1).split(/[=&]/)[0] ?? "";
    const send = (status: number, body: string, headers: Record<string, string> = {}) =>
      void response.writeHead(status, headers).end(body);
    const place = `${bucket}${key.join("") === "" ? "" : "/"}`;
    const operation = `${request.method} ${place}${query === "x-id" || query === "" ? "" : `?${query}`}`;
    const refusal = deployed.refused.get(operation);
    if (refusal !== undefined) {
      await bodyOf(request);
      const code = refusal === 404 ? "NoSuchBucket" : "AccessDenied";
      return send(refusal, `<Error><Code>${code}</Code><Message>no</Message></Error>`);
    }
    if (DATE.test(bucket)) {
      const answer = await lambdaAnswer(pathname, await bodyOf(request));
      return send(answer.status ?? 200, answer.body, answer.headers);
    }
    if (query === "notification" && request.method === "GET") return send(200, deployed.notification);
    if (query === "notification") {
      deployed.notification = deployed.kept(await bodyOf(request));
      return send(200, "");
    }
    if (query === "policy")
      return deployed.policy === null
        ? send(404, "<Error><Code>NoSuchBucketPolicy</Code></Error>")
        : send(200, deployed.policy);
    const extra =
      bucket === manifests && key.join("") === "" ? { "x-amz-bucket-region": deployed.manifestsRegion } : {};
    return forward(request, response, extra);
  }

  async function lambdaAnswer(path: string, body: string): Promise<LambdaAnswer> {
    if (path.endsWith("/configuration")) {
      if (deployed.configuration !== null) return { body: JSON.stringify(deployed.configuration) };
      const headers = { "x-amzn-errortype": "ResourceNotFoundException" };
      return { status: 404, headers, body: '{"Message":"Function not found"}' };
    }
    const settings = { AccountLimit: { ConcurrentExecutions: deployed.accountLimit } };
    if (path.includes("account-settings")) return { body: JSON.stringify(settings) };
    if (path.includes("event-source-mappings"))
      return { body: JSON.stringify({ EventSourceMappings: deployed.mappings }) };
    return { body: deployed.answer ?? JSON.stringify(await invoke(JSON.parse(body))) };
  }

  /** Passes a request on, headers as they are: they are signed. A copy into bucket B is told of. */
  function forward(request: IncomingMessage, response: ServerResponse, extra: Record<string, string>): void {
    const { method, headers, url: path = "/" } = request;
    const on = httpRequest(store.url + path, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, { ...answer.headers, ...extra });
      answer.pipe(response);
      const isCopy =
        path.startsWith("/bucket-b/") && "x-amz-copy-source" in headers && answer.statusCode === 200;
      if (isCopy && deployed.eventsArrive && isFound(deployed.notification)) tell(decodeURIComponent(path));
    });
    on.on("error", () => response.destroy());
    request.pipe(on);
  }

  function tell(path: string): void {
    const key = path.slice("/bucket-b/".length).split("?")[0] ?? "";
    const view = store.getObject("bucket-b", key);
    if (view === undefined) return;
    const etag = view.etag.replaceAll('"', "");
    void logs.flag({ bucket: "bucket-b", key, etag, size: view.size, isByCopier: false });
  }

  const { port } = new URL(String(control.client.endpoint));
  return {
    deployed,
    store,
    table,
    endpoints: { s3: url, lambda: url, dynamodb: table.endpoint, s3control: `http://127.0.0.1:${port}` },
    deployment: (isFast = false) =>
      new AwsDeployment({
        settings: deployed.settings,
        s3,
        table: table.client,
        lambda: new LambdaClient({ endpoint: url, region: REGION, credentials, maxAttempts: 1 }),
        clock: isFast ? fastClock : systemClock,
        engine: ({ source, target }) => {
          const seen: SeenExchange[] = [];
          const client = new S3ControlClient({ ...control.client, credentials });
          observe(client, "s3-control", seen);
          const terms = {
            ...{ sourceBucket: source.bucket, sourcePrefix: source.prefix },
            ...{ targetBucket: target.bucket, targetPrefix: target.prefix },
            ...{ copyLogs: null, updates: null },
          };
          const settings = { ...deployed.settings, functionTimeoutMs: 20, reportWaitMs: 500, mostPollMs: 10 };
          return {
            engine: new LambdaEngine({ control: client, s3, clock: systemClock, settings, terms }),
            seen,
          };
        },
      }),
    async close() {
      front.closeAllConnections();
      front.close();
      await control.close();
      await table.close();
      await store.close();
    },
  };
}

const SPEED = 100;
const fastClock: Clock = {
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic() * SPEED,
  sleep: (ms, signal) => systemClock.sleep(ms / SPEED, signal),
};

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
