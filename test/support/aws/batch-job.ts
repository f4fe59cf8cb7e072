/** A job of the S3 Batch Operations double: its states, from creation to report. */

import { setTimeout as pause } from "node:timers/promises";
import { GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Invoke } from "./batch-event.ts";
import { BatchTasks } from "./batch-tasks.ts";
import type { BatchVariations } from "./batch-variations.ts";
import { reportedFiles } from "./reported-files.ts";

/** What CreateJob was given. */
export interface JobRequest {
  readonly token: string;
  readonly description: string;
  readonly confirmationRequired: boolean;
  readonly priority: number;
  readonly roleArn: string;
  readonly functionArn: string;
  readonly schemaVersion: string;
  readonly userArguments: Readonly<Record<string, string>>;
  readonly manifest: { readonly bucket: string; readonly key: string; readonly etag: string };
  readonly report: { readonly bucket: string; readonly path: string; readonly scope: string };
}

export interface JobParts {
  readonly s3: S3Client;
  readonly invoke: Invoke;
  readonly variations: BatchVariations;
  readonly random: () => number;
}

const ENDED: ReadonlySet<string> = new Set(["Complete", "Cancelled", "Failed"]);
const ENDING: ReadonlySet<string> = new Set(["Completing", "Cancelling", "Failing"]);

export class BatchJob {
  readonly id: string;
  readonly request: JobRequest;
  readonly createdAt = Date.now();
  status = "New";
  reason = "";
  failure: { readonly code: string; readonly reason: string } | null = null;
  /** Resolves when the job has ended and its report, if any, is written. */
  readonly done: Promise<void>;
  #tasks: BatchTasks | null = null;
  #isConfirmed: boolean;
  readonly #parts: JobParts;

  constructor(id: string, request: JobRequest, parts: JobParts) {
    this.id = id;
    this.request = request;
    this.#parts = parts;
    this.#isConfirmed = !request.confirmationRequired;
    this.done = this.#run();
  }

  get hasEnded(): boolean {
    return ENDED.has(this.status);
  }

  get counts(): { readonly total: number; readonly succeeded: number; readonly failed: number } {
    const { total = 0, succeeded = 0, failed = 0 } = this.#tasks ?? {};
    return { total, succeeded, failed };
  }

  get invocationsUnderWay(): number {
    return this.#tasks?.underWay ?? 0;
  }

  /** As UpdateJobStatus: false where the state does not allow it. */
  update(status: "Ready" | "Cancelled", reason: string): boolean {
    if (this.hasEnded || ENDING.has(this.status)) return false;
    if (status === "Ready" && this.status !== "Suspended") return false;
    this.reason = reason;
    if (status === "Ready") {
      this.#isConfirmed = true;
      return true;
    }
    this.status = "Cancelling";
    this.#tasks?.stop();
    return true;
  }

  /** S3 ends the job by itself. */
  fail(code: string, reason: string): void {
    if (this.hasEnded) return;
    this.failure = { code, reason };
    this.status = "Failing";
    this.#tasks?.stop();
  }

  async #run(): Promise<void> {
    const { newMs, preparingMs, readyMs, pausedMs } = this.#parts.variations;
    // Even where all times are 0 the answer of CreateJob comes first.
    await this.#stay("New", newMs + 1);
    await this.#stay("Preparing", preparingMs);
    const lines = await this.#manifest();
    if (lines !== null) {
      const { id, request } = this;
      const { invoke, variations, random } = this.#parts;
      const job = { id, userArguments: request.userArguments };
      this.#tasks = new BatchTasks(lines, job, invoke, variations, random);
    }
    while (this.status === "Preparing" && !this.#isConfirmed) await this.#stay("Suspended", 10);
    while (this.status === "Suspended" && !this.#isConfirmed) await pause(5);
    await this.#stay("Ready", readyMs);
    await this.#stay("Paused", pausedMs);
    await this.#stay("Active", 0);
    await this.#carryOut();
    await this.#report();
  }

  async #stay(status: string, ms: number): Promise<void> {
    if (ENDING.has(this.status)) return;
    if (ms > 0 || status === "Active") this.status = status;
    if (ms > 0) await pause(ms);
  }

  /** The lines of the manifest, of the version that the job names; null after a failure. */
  async #manifest(): Promise<[string, string][] | null> {
    if (ENDING.has(this.status)) return null;
    const { bucket, key, etag } = this.request.manifest;
    try {
      const object = await this.#parts.s3.send(
        new GetObjectCommand({ Bucket: bucket, Key: key, IfMatch: `"${etag}"` }),
      );
      const text = (await object.Body?.transformToString()) ?? "";
      return text.split("\n").filter(Boolean).map(lineOf);
    } catch (error) {
      this.fail("ManifestNotReadable", `the manifest cannot be read: ${(error as Error).name}`);
      return null;
    }
  }

  async #carryOut(): Promise<void> {
    const tasks = this.#tasks;
    if (tasks !== null && !ENDING.has(this.status)) {
      const running = tasks.run(() => this.#failWhereHalfFails(tasks));
      if (this.#parts.variations.endsBeforeInvocations) {
        while (
          this.status === "Active" &&
          (await Promise.race([running.then(() => "done"), pause(5)])) !== "done"
        );
        if (this.status !== "Active") tasks.close();
      } else await running;
    }
    if (this.status === "Active") this.status = "Completing";
    await pause(1);
    tasks?.close();
    this.status = { Completing: "Complete", Cancelling: "Cancelled" }[this.status] ?? "Failed";
  }

  #failWhereHalfFails({ succeeded, failed }: BatchTasks): void {
    const ended = succeeded + failed;
    if (ended >= 1000 && failed > ended / 2) this.fail("JobFailed", "more than half of the tasks failed");
  }

  async #report(): Promise<void> {
    const { variations, s3 } = this.#parts;
    const { counts } = this;
    if (counts.succeeded + counts.failed === 0 || variations.report === "missing") return;
    await pause(variations.reportDelayMs);
    const { bucket, path } = this.request.report;
    const files = reportedFiles({ bucket, path, jobId: this.id }, this.#tasks?.ended() ?? [], variations);
    for (const [Key, Body] of files) {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ServerSideEncryption: "AES256" }));
    }
  }
}

/** Refuses what S3 documents to refuse: another number of columns, and keys of more than 1,024 characters. */
function lineOf(line: string): [string, string] {
  const [bucket = "", key = "", ...more] = line.split(",");
  if (more.length > 0 || bucket === "" || key === "" || key.length > 1024) throw new Error("InvalidManifest");
  return [bucket, key];
}
