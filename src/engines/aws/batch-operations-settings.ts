/** Settings of the engine that copies by S3 Batch Operations. */

/** The parts of a store's `aws` section that the engine uses, and its waits. */
export interface BatchOperationsSettings {
  /** Of the AWS account that runs the jobs. */
  readonly accountId: string;
  /** ARN of the copying function, with its version. */
  readonly copyFunction: string;
  /** ARN of the role under which S3 reads manifests, invokes the function and writes reports. */
  readonly jobRole: string;
  /** Where manifests and reports are written. */
  readonly manifests: { readonly bucket: string; readonly prefix: string };
  /** The function's timeout, ms: an invocation that began before a job ended has ended this long after it. 60 s unless set. */
  readonly functionTimeoutMs?: number;
  /** How long a job's report is waited for after the job has ended, ms; 10 min unless set. */
  readonly reportWaitMs?: number;
  /** Longest pause between two looks at a job, or for its report, ms; 5 s unless set. */
  readonly mostPollMs?: number;
  /** How long a request that finds no usable answer is repeated, ms; 60 s unless set. */
  readonly patienceMs?: number;
  /** Bytes of one part of a manifest, at least 5 MiB; 8 MiB unless set. */
  readonly partBytes?: number;
}

/** The values of settings that are not set. */
export const DEFAULTS = {
  functionTimeoutMs: 60_000,
  reportWaitMs: 600_000,
  mostPollMs: 5_000,
  patienceMs: 60_000,
  partBytes: 8 * 2 ** 20,
} as const;

/** The directory of a consignment's manifest and report, without a slash at its end. */
export function consignmentPath(prefix: string, jobId: string, consignment: number): string {
  const root = prefix.replace(/\/+$/, "");
  return `${root === "" ? "" : `${root}/`}${jobId}/${consignment}`;
}
