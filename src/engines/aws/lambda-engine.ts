/**
 * LambdaEngine: copies by S3 Batch Operations, whose jobs invoke the copying function for each line of a manifest. One
 * consignment is one job.
 */

import type { S3Client } from "@aws-sdk/client-s3";
import type { JobDescriptor, S3ControlClient } from "@aws-sdk/client-s3-control";
import { DomainError } from "../../domain/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type {
  Consignment,
  ConsignmentEnd,
  ConsignmentEngine,
  ConsignmentOrder,
} from "../../ports/consignment-engine.ts";
import type { OnCopyResult } from "../../ports/copy-engine.ts";
import type { CopyRequest } from "../../ports/object-store.ts";
import { AskedCopies } from "./asked-copies.ts";
import { BatchJobs, type JobOrder } from "./batch-jobs.ts";
import { type BatchOperationsSettings, consignmentPath, DEFAULTS } from "./batch-operations-settings.ts";
import { decodeProgress, encodeProgress, type WrittenManifest } from "./consignment-progress.ts";
import { objectionTo } from "./copy-field.ts";
import { EngineRequests } from "./engine-requests.ts";
import { endedTasks, type FollowedJob, JobFollower } from "./follow-job.ts";
import { howItEnded } from "./job-end.ts";
import { userArguments } from "./job-terms.ts";
import { writeManifest } from "./manifest-upload.ts";
import { type TakenReport, takeInReport } from "./take-in-report.ts";
import type { JobTerms } from "./user-arguments.ts";
import { WaitNotes } from "./wait-notes.ts";

/** What the engine is given; the clients repeat nothing by themselves (`maxAttempts: 1`). */
export interface LambdaEngineParts {
  readonly control: S3ControlClient;
  /** Of the bucket of manifests. */
  readonly s3: S3Client;
  readonly clock: Clock;
  readonly settings: BatchOperationsSettings;
  /** What is the same for all consignments of a job. */
  readonly terms: Pick<
    JobTerms,
    "sourceBucket" | "sourcePrefix" | "targetBucket" | "targetPrefix" | "copyLogs" | "updates"
  >;
}

/** The engine of one relocation job. */
export class LambdaEngine implements ConsignmentEngine {
  readonly mostCopies = 1_000_000;
  readonly #parts: LambdaEngineParts;
  readonly #settings: Required<BatchOperationsSettings>;
  readonly #requests: EngineRequests;
  readonly #jobs: BatchJobs;

  constructor(parts: LambdaEngineParts) {
    this.#parts = parts;
    this.#settings = { ...DEFAULTS, ...parts.settings };
    this.#requests = new EngineRequests(parts.clock, this.#settings.patienceMs);
    this.#jobs = new BatchJobs(parts.control, this.#requests, parts.settings);
  }

  objection(request: CopyRequest): string | null {
    return objectionTo(request, this.#parts.terms);
  }

  async carry(order: ConsignmentOrder, onResult: OnCopyResult, signal: AbortSignal): Promise<ConsignmentEnd> {
    const waits = new WaitNotes((wait) => order.onWait(wait));
    const sent = await this.#send(order, signal);
    if ("kind" in sent) return sent;
    const { clock } = this.#parts;
    const parts = { jobs: this.#jobs, clock, mostPollMs: this.#settings.mostPollMs };
    const job = await new JobFollower(parts, order, waits).follow(sent, signal);
    // An invocation may outlive the job that began it.
    const quietAt = clock.monotonic() + this.#settings.functionTimeoutMs;
    const report = await this.#takeIn(order, sent, job, { waits, onResult, signal });
    await this.#awaitQuiet(quietAt, sent, waits, signal);
    return howItEnded(sent.jobId, job, report);
  }

  /** The job of the consignment, created unless it exists; or the end of a consignment that needs none. */
  async #send(order: ConsignmentOrder, signal: AbortSignal): Promise<FollowedJob | ConsignmentEnd> {
    const { consignment } = order;
    const saved = decodeProgress(consignment.progress);
    if (saved?.stage === "job") return saved;
    const written = saved ?? (await this.#writeManifest(order, signal));
    if (written === null) return { kind: "recalled" };
    if (written.manifest.rows === 0) return { kind: "ended" };
    // A process that ended may have sent the request. The job is looked for first, as its token may be forgotten. Where none
    // is listed it is created even if no copy may begin any more: nothing else tells for sure whether there is one.
    const found = saved === null ? null : await this.#jobs.find(consignment.token, signal);
    const jobId = found ?? (await this.#jobs.create(this.#jobOrder(order, written.manifest), signal));
    const created = { ...written, stage: "job", jobId, since: this.#parts.clock.now() } as const;
    await order.save(encodeProgress(created));
    return created;
  }

  /** Null when no copy may begin any more; then no job has been created. */
  async #writeManifest(order: ConsignmentOrder, signal: AbortSignal) {
    const { bucket } = this.#settings.manifests;
    const key = `${this.#pathOf(order.consignment)}/manifest.csv`;
    const place = { bucket, key, partBytes: this.#settings.partBytes };
    const parts = { s3: this.#parts.s3, requests: this.#requests };
    // Before the manifest is written: arguments that S3 would refuse.
    this.#arguments(order);
    if (this.#isOver(order)) return null;
    const manifest = await writeManifest(parts, place, order.copies(), { recall: order.recall, signal });
    if (manifest === null) return null;
    const written = { stage: "manifest", manifest } as const;
    await order.save(encodeProgress(written));
    // From here on a job may exist for all that is known after a crash.
    return this.#isOver(order) ? null : written;
  }

  #isOver({ recall, consignment }: ConsignmentOrder): boolean {
    const { notAfter } = consignment;
    return recall.aborted || (notAfter !== null && this.#parts.clock.now() >= notAfter);
  }

  #jobOrder(order: ConsignmentOrder, manifest: WrittenManifest): JobOrder {
    const { consignment } = order;
    const reportPath = this.#pathOf(consignment);
    return { token: consignment.token, manifest, reportPath, userArguments: this.#arguments(order) };
  }

  #arguments({ consignment, limits }: ConsignmentOrder): Record<string, string> {
    return userArguments(this.#parts.terms, consignment, limits, this.#settings.functionTimeoutMs);
  }

  #pathOf({ jobId, id }: Consignment): string {
    return consignmentPath(this.#settings.manifests.prefix, jobId, id);
  }

  async #takeIn(
    order: ConsignmentOrder,
    { jobId }: FollowedJob,
    job: JobDescriptor | null,
    to: { readonly waits: WaitNotes; readonly onResult: OnCopyResult; readonly signal: AbortSignal },
  ): Promise<TakenReport> {
    const { succeeded, failed } = job === null ? { succeeded: 0, failed: 0 } : endedTasks(job);
    const place = {
      bucket: this.#settings.manifests.bucket,
      path: this.#pathOf(order.consignment),
      jobId,
      tasks: succeeded + failed,
    };
    const { s3, clock } = this.#parts;
    const { reportWaitMs, mostPollMs } = this.#settings;
    const parts = { s3, clock, reportWaitMs, mostPollMs, requests: this.#requests, waits: to.waits };
    const asked = () => AskedCopies.read(order.copies(), order.consignment.objects, to.signal);
    return takeInReport(parts, place, asked, to.onResult, to.signal);
  }

  async #awaitQuiet(quietAt: number, { jobId }: FollowedJob, waits: WaitNotes, signal: AbortSignal) {
    const { clock } = this.#parts;
    const leftMs = quietAt - clock.monotonic();
    if (leftMs > 0) {
      waits.wait(`the last invocations of job ${jobId} may still be under way`, clock.now() + leftMs);
      await clock.sleep(leftMs, signal);
    }
    if (signal.aborted) throw new DomainError("stopped", "the job was asked to stop");
    waits.clear();
  }
}
