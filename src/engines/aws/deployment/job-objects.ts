/** The manifests and reports of one job, in the bucket that the configuration names for them. */

import { DeleteObjectsCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import type { AwsSettings } from "../../../domain/engines/aws-settings.ts";
import { DomainError } from "../../../domain/errors.ts";
import { engineFault } from "../engine-faults.ts";

type Manifests = Pick<AwsSettings, "manifests" | "accountId">;

/** Keys of one DeleteObjects request at most. */
const MOST_DELETED = 1000;
/** What a job's id is made of: no `/`, nothing that S3 or a listing would read otherwise. */
const JOB_ID = /^[\w-]{1,64}$/;

/** The prefix of everything that is kept of job `jobId`; throws `invalid_input` for what is no job's id. */
export function prefixOfJob({ manifests }: Manifests, jobId: string): string {
  if (!JOB_ID.test(jobId)) throw new DomainError("invalid_input", `${JSON.stringify(jobId)} is no job's id`);
  return `${manifests.prefix}${jobId}/`;
}

/** All keys of job `jobId`. Throws `engine_unavailable`, `engine_refused`. */
export async function keysOfJob(
  s3: S3Client,
  settings: Manifests,
  jobId: string,
  signal: AbortSignal,
): Promise<string[]> {
  const prefix = prefixOfJob(settings, jobId);
  const keys: string[] = [];
  let token: string | undefined;
  do {
    const command = new ListObjectsV2Command({
      Bucket: settings.manifests.bucket,
      ExpectedBucketOwner: settings.accountId,
      Prefix: prefix,
      ContinuationToken: token,
    });
    const page = await s3.send(command, { abortSignal: signal }).catch((thrown: unknown) => {
      throw engineFault(thrown, `listing ${settings.manifests.bucket}/${prefix}`);
    });
    keys.push(...(page.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key])));
    token = page.NextContinuationToken;
  } while (token !== undefined && token !== "");
  const foreign = keys.find((key) => !key.startsWith(prefix));
  if (foreign !== undefined)
    throw new DomainError("engine_refused", `the listing of ${prefix} holds ${JSON.stringify(foreign)}`);
  return keys;
}

/** Removes `keys`, which {@link keysOfJob} gave. Throws `engine_refused` with the first that remains. */
export async function removeKeys(
  s3: S3Client,
  { manifests, accountId }: Manifests,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (let start = 0; start < keys.length; start += MOST_DELETED) {
    const Objects = keys.slice(start, start + MOST_DELETED).map((Key) => ({ Key }));
    const command = new DeleteObjectsCommand({
      Bucket: manifests.bucket,
      ExpectedBucketOwner: accountId,
      Delete: { Objects, Quiet: true },
    });
    const { Errors = [] } = await s3.send(command, { abortSignal: signal }).catch((thrown: unknown) => {
      throw engineFault(thrown, `removing from ${manifests.bucket}`);
    });
    const [left] = Errors;
    if (left !== undefined)
      throw new DomainError("engine_refused", `${left.Key} cannot be removed: ${left.Code} ${left.Message}`);
  }
}
