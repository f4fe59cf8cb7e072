/** BatchJobs: the requests of the S3 Batch Operations API that the engine uses. */

import {
  CreateJobCommand,
  type CreateJobCommandInput,
  DescribeJobCommand,
  type JobDescriptor,
  ListJobsCommand,
  type S3ControlClient,
  UpdateJobStatusCommand,
} from "@aws-sdk/client-s3-control";
import { DomainError, hasCode } from "../../domain/errors.ts";
import type { BatchOperationsSettings } from "./batch-operations-settings.ts";
import type { WrittenManifest } from "./consignment-progress.ts";
import { vendorCode } from "./engine-faults.ts";
import type { EngineRequests } from "./engine-requests.ts";

export interface JobOrder {
  /** Idempotency token, and the job's description. */
  readonly token: string;
  readonly manifest: WrittenManifest;
  /** Directory of the report, without a slash at its end: S3 adds one. */
  readonly reportPath: string;
  readonly userArguments: Readonly<Record<string, string>>;
}

/** S3's default; jobs of higher priority run first. */
const PRIORITY = 10;

const MISSING: ReadonlySet<string> = new Set(["NotFoundException", "NoSuchJob", "NotFound"]);
/** Refusals to change the state of a job that has ended or is about to. */
const ENDED: ReadonlySet<string> = new Set(["JobStatusException", "InvalidJobStatus"]);

/** Requests for jobs of one account. Errors as in `EngineRequests`. */
export class BatchJobs {
  readonly #control: S3ControlClient;
  readonly #requests: EngineRequests;
  readonly #settings: BatchOperationsSettings;

  constructor(control: S3ControlClient, requests: EngineRequests, settings: BatchOperationsSettings) {
    this.#control = control;
    this.#requests = requests;
    this.#settings = settings;
  }

  /**
   * Creates the job of `order` and gives its id; repeated with the same token it gives the job that exists. A job that was
   * created with other arguments (before limits or configuration changed) is found by its description.
   */
  create(order: JobOrder, signal: AbortSignal): Promise<string> {
    const input = this.#creation(order);
    return this.#requests.send("creating an S3 Batch Operations job", signal, async (abortSignal) => {
      try {
        const { JobId } = await this.#control.send(new CreateJobCommand(input), { abortSignal });
        if (JobId !== undefined) return JobId;
      } catch (error) {
        if ((error as Error).name !== "IdempotencyException") throw error;
        const jobId = await this.find(order.token, signal);
        if (jobId !== null) return jobId;
      }
      throw new DomainError("engine_unavailable", "S3 Batch Operations does not tell the job's id yet");
    });
  }

  /** The id of the job that `create` made with `token`; null when none is listed. */
  async find(token: string, signal: AbortSignal): Promise<string | null> {
    let NextToken: string | undefined;
    do {
      const page = { AccountId: this.#settings.accountId, MaxResults: 1000, NextToken };
      const { Jobs = [], NextToken: next } = await this.#requests.send(
        "listing S3 Batch Operations jobs",
        signal,
        (abortSignal) => this.#control.send(new ListJobsCommand(page), { abortSignal }),
      );
      const found = Jobs.find(({ Description }) => Description === token)?.JobId;
      if (found !== undefined) return found;
      NextToken = next;
    } while (NextToken !== undefined && NextToken !== "");
    return null;
  }

  /** The job as it is now; null when S3 knows none, as it may for a moment after the creation. */
  async describe(jobId: string, signal: AbortSignal): Promise<JobDescriptor | null> {
    const input = { AccountId: this.#settings.accountId, JobId: jobId };
    try {
      const { Job } = await this.#requests.send(`looking at job ${jobId}`, signal, (abortSignal) =>
        this.#control.send(new DescribeJobCommand(input), { abortSignal }),
      );
      return Job ?? null;
    } catch (error) {
      if (!isRefusal(error, MISSING)) throw error;
      return null;
    }
  }

  /** Asks for the end of the job, unless it has ended; false: S3 does not know the job (yet). `reason`: up to 256 characters. */
  async cancel(jobId: string, reason: string, signal: AbortSignal): Promise<boolean> {
    const input = {
      AccountId: this.#settings.accountId,
      JobId: jobId,
      RequestedJobStatus: "Cancelled",
      StatusUpdateReason: reason,
    } as const;
    try {
      await this.#requests.send(`cancelling job ${jobId}`, signal, (abortSignal) =>
        this.#control.send(new UpdateJobStatusCommand(input), { abortSignal }),
      );
    } catch (error) {
      if (isRefusal(error, MISSING)) return false;
      if (!isRefusal(error, ENDED)) throw error;
    }
    return true;
  }

  #creation({ token, manifest, reportPath, userArguments }: JobOrder): CreateJobCommandInput {
    const { accountId, copyFunction, jobRole, manifests } = this.#settings;
    const bucketArn = `arn:${jobRole.split(":")[1] ?? "aws"}:s3:::${manifests.bucket}`;
    return {
      AccountId: accountId,
      ClientRequestToken: token,
      Description: token,
      ConfirmationRequired: false,
      Priority: PRIORITY,
      RoleArn: jobRole,
      Operation: {
        LambdaInvoke: {
          FunctionArn: copyFunction,
          InvocationSchemaVersion: "2.0",
          UserArguments: { ...userArguments },
        },
      },
      Manifest: {
        Spec: { Format: "S3BatchOperations_CSV_20180820", Fields: ["Bucket", "Key"] },
        Location: { ObjectArn: `${bucketArn}/${manifest.key}`, ETag: manifest.etag },
      },
      Report: {
        Enabled: true,
        Bucket: bucketArn,
        Prefix: reportPath,
        Format: "Report_CSV_20180820",
        ReportScope: "AllTasks",
      },
    };
  }
}

function isRefusal(error: unknown, codes: ReadonlySet<string>): boolean {
  return hasCode(error, "engine_refused") && codes.has(vendorCode(error) ?? "");
}
