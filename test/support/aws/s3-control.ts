/**
 * A double of the S3 Control API's jobs, to which the unmodified SDK client speaks over HTTP. It reads manifests from a real
 * S3 endpoint, invokes a function for their lines and writes reports there. What it does is listed, with the source of each
 * behaviour, in docs/aws/doubles-batch-operations.md.
 */

import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, LookupFunction } from "node:net";
import type { S3Client } from "@aws-sdk/client-s3";
import type { S3ControlClientConfig } from "@aws-sdk/client-s3-control";
import { seededRandom } from "../../../src/sandbox-s3/faults/faults.ts";
import { closeServer, listen } from "../../../src/sandbox-s3/protocol/listening.ts";
import type { Invoke } from "./batch-event.ts";
import { BatchJob, type JobParts } from "./batch-job.ts";
import { type BatchVariations, PLAIN } from "./batch-variations.ts";
import { document, errorDocument, jobElements, readCreation } from "./s3-control-xml.ts";

export type ControlOperation = "CreateJob" | "DescribeJob" | "ListJobs" | "UpdateJobStatus";

/** `lost`: carried out, and the connection is closed before the answer. `hangs`: no answer until the double is closed. */
export type ControlFault = { readonly status: number; readonly code: string } | "lost" | "hangs";

export interface S3ControlOptions {
  readonly accountId: string;
  /** Of the endpoint with the manifests; reports are written there too. */
  readonly s3: S3Client;
  readonly invoke: Invoke;
  readonly seed?: number;
  readonly variations?: Partial<BatchVariations>;
}

/** Starts the double; resolves when it accepts connections. */
export async function startS3Control(options: S3ControlOptions): Promise<S3Control> {
  const control = new S3Control(options);
  await control.listen();
  return control;
}

/** The settings of a client that reaches a double at `port` of this machine. */
export function loopbackClient(port: number): S3ControlClientConfig {
  return {
    // The client puts the account in front of the host, so that it must be a name.
    endpoint: `http://s3-control.test:${port}`,
    region: "us-east-1",
    maxAttempts: 1,
    requestHandler: { httpAgent: { keepAlive: true, lookup: toLoopback }, requestTimeout: 60_000 },
  };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

export class S3Control {
  /** All jobs that were ever created, oldest first. */
  readonly jobs: BatchJob[] = [];
  /** Requests that arrived. */
  readonly requests: Record<ControlOperation, number> = {
    CreateJob: 0,
    DescribeJob: 0,
    ListJobs: 0,
    UpdateJobStatus: 0,
  };
  /** For jobs and requests from now on. */
  variations: BatchVariations;
  readonly #options: S3ControlOptions;
  readonly #random: () => number;
  readonly #tokens = new Map<string, { readonly body: string; readonly job: BatchJob }>();
  readonly #removed = new Set<string>();
  readonly #faults: { readonly operation: ControlOperation; readonly fault: ControlFault }[] = [];
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  constructor(options: S3ControlOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed ?? 1);
    this.variations = { ...PLAIN, ...options.variations };
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The settings of a client that reaches the double. */
  get client(): S3ControlClientConfig {
    return loopbackClient(this.port);
  }

  async listen(): Promise<void> {
    await listen(this.#server, 0, "127.0.0.1");
  }

  async close(): Promise<void> {
    for (const job of this.jobs) job.update("Cancelled", "closed");
    await closeServer(this.#server);
    await Promise.all(this.jobs.map((job) => job.done.catch(() => {})));
  }

  /** The next `times` requests for `operation` have this fault. */
  breakNext(operation: ControlOperation, fault: ControlFault, times = 1): void {
    for (let count = 0; count < times; count++) this.#faults.push({ operation, fault });
  }

  /** As 90 days after the end of a job. */
  remove(job: BatchJob): void {
    this.#removed.add(job.id);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? "/", "http://double");
    const operation = operationOf(request.method ?? "", url.pathname);
    if (operation !== null) this.requests[operation] += 1;
    const fault = this.#faultFor(operation);
    if (fault === "hangs") return;
    if (fault !== null && fault !== "lost")
      return send(response, refusal(fault.status, fault.code, "a fault of the test"));
    const answer = this.#isSigned(request)
      ? this.#answer(operation, url, Buffer.concat(chunks))
      : refusal(403, "AccessDenied", "not signed for this account");
    if (fault === "lost") request.socket.destroy();
    else send(response, answer);
  }

  #faultFor(operation: ControlOperation | null): ControlFault | null {
    const at = this.#faults.findIndex((one) => one.operation === operation);
    return at < 0 ? null : (this.#faults.splice(at, 1)[0]?.fault ?? null);
  }

  #isSigned({ headers }: IncomingMessage): boolean {
    const { accountId } = this.#options;
    const host = headers.host ?? "";
    return (
      headers["x-amz-account-id"] === accountId &&
      (host.startsWith(`${accountId}.`) || host.startsWith("127.0.0.1:")) &&
      /^AWS4-HMAC-SHA256 .*\/s3\/aws4_request/.test(headers.authorization ?? "")
    );
  }

  #answer(operation: ControlOperation | null, url: URL, body: Buffer): Answer {
    const jobId = url.pathname.split("/")[3] ?? "";
    switch (operation) {
      case "CreateJob":
        return this.#create(body);
      case "ListJobs":
        return this.#list(url.searchParams);
      case "DescribeJob":
        return this.#describe(jobId);
      case "UpdateJobStatus":
        return this.#update(jobId, url.searchParams);
      default:
        return refusal(404, "NotFoundException", "no such operation");
    }
  }

  #create(body: Buffer): Answer {
    let creation: ReturnType<typeof readCreation>;
    try {
      creation = readCreation(body);
    } catch (error) {
      return refusal(400, "BadRequestException", String(error));
    }
    const text = body.toString();
    const known = this.#tokens.get(creation.token);
    if (known !== undefined && Date.now() < known.job.createdAt + this.variations.tokenMemoryMs) {
      return known.body === text
        ? result("CreateJobResult", `<JobId>${known.job.id}</JobId>`)
        : refusal(400, "IdempotencyException", "the token was used with another request");
    }
    const { s3, invoke } = this.#options;
    const parts: JobParts = { s3, invoke, variations: this.variations, random: this.#random };
    const job = new BatchJob(randomUUID(), creation, parts);
    this.jobs.push(job);
    this.#tokens.set(creation.token, { body: text, job });
    return result("CreateJobResult", `<JobId>${job.id}</JobId>`);
  }

  #list(query: URLSearchParams): Answer {
    const most = Math.min(1000, Number(query.get("maxResults") ?? "1000"));
    const from = Number(query.get("nextToken") || "0");
    const { unlistedMs } = this.variations;
    const listed = this.jobs
      .filter(({ id, createdAt }) => !this.#removed.has(id) && Date.now() >= createdAt + unlistedMs)
      .reverse();
    const page = listed.slice(from, from + most).map((job) => `<member>${jobElements(job, false)}</member>`);
    const next = from + most < listed.length ? `<NextToken>${from + most}</NextToken>` : "";
    return result("ListJobsResult", `${next}<Jobs>${page.join("")}</Jobs>`);
  }

  #describe(jobId: string): Answer {
    const job = this.#known(jobId);
    if (job === null) return noSuchJob();
    return result("DescribeJobResult", `<Job>${jobElements(job, this.variations.tellsReason)}</Job>`);
  }

  #update(jobId: string, query: URLSearchParams): Answer {
    const job = this.#known(jobId);
    const status = query.get("requestedJobStatus");
    if (job === null) return noSuchJob();
    if (status !== "Ready" && status !== "Cancelled") return refusal(400, "BadRequestException", "status");
    if (!job.update(status, query.get("statusUpdateReason") ?? "")) {
      return refusal(400, "JobStatusException", `the job is ${job.status}`);
    }
    return result("UpdateJobStatusResult", `<JobId>${job.id}</JobId><Status>${job.status}</Status>`);
  }

  #known(jobId: string): BatchJob | null {
    const job = this.jobs.find(({ id }) => id === jobId);
    if (job === undefined || this.#removed.has(jobId)) return null;
    return Date.now() >= job.createdAt + this.variations.unknownMs ? job : null;
  }
}

function operationOf(method: string, path: string): ControlOperation | null {
  if (path === "/v20180820/jobs") return method === "POST" ? "CreateJob" : "ListJobs";
  if (/^\/v20180820\/jobs\/[^/]+$/.test(path)) return "DescribeJob";
  return /^\/v20180820\/jobs\/[^/]+\/status$/.test(path) ? "UpdateJobStatus" : null;
}

function result(root: string, content: string): Answer {
  return { status: 200, body: document(root, content) };
}

function refusal(status: number, code: string, message: string): Answer {
  return { status, body: errorDocument(code, message) };
}

function noSuchJob(): Answer {
  return refusal(404, "NoSuchJob", "The specified job does not exist.");
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { "content-type": "application/xml" }).end(body);
}

const toLoopback: LookupFunction = (_host, options, callback) => {
  if (options.all) callback(null, [{ address: "127.0.0.1", family: 4 }]);
  else callback(null, "127.0.0.1", 4);
};
