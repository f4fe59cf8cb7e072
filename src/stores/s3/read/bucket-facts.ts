/** HeadBucket and its relatives: whether a bucket exists, under its own name, with which versioning and encryption. */

import {
  GetBucketEncryptionCommand,
  GetBucketVersioningCommand,
  HeadBucketCommand,
} from "@aws-sdk/client-s3";
import type { BucketFacts, Encryption } from "../../../ports/object-store.ts";
import { explainRefusal } from "../client/explain-refusal.ts";
import type { S3Requests } from "../client/s3-requests.ts";
import { hasKind, NOT_TOLD } from "../s3-errors.ts";

/** Names reserved for aliases of access points (S3 user guide, "Bucket naming rules"). */
const ALIAS = /(-s3alias|--ol-s3|--op-s3)$/;

/** Reads the facts of a bucket; throws faults. */
export async function readBucketFacts(
  requests: S3Requests,
  bucket: string,
  signal: AbortSignal | undefined,
): Promise<BucketFacts> {
  const doing = `looking at bucket ${bucket}`;
  try {
    const head = () =>
      requests.send({ kind: "head", doing }, signal, (client, options) =>
        client.send(new HeadBucketCommand({ Bucket: bucket }), options),
      );
    const { AccessPointAlias } = await explainRefusal(head, () => versioningOf(requests, bucket, signal));
    const isAlias = AccessPointAlias === true || ALIAS.test(bucket);
    const [versioning, defaultEncryption] = await Promise.all([
      versioningOf(requests, bucket, signal),
      encryptionOf(requests, bucket, signal),
    ]);
    return { exists: true, versioning, isAlias, defaultEncryption };
  } catch (error) {
    // HEAD has no body, so a missing bucket cannot be told from a missing object.
    if (!hasKind(error, "gone", "bucket_missing")) throw error;
    return { exists: false, versioning: "off", isAlias: false, defaultEncryption: null };
  }
}

/** Null also where the account lacks the right, and on stores without this request. */
async function encryptionOf(
  requests: S3Requests,
  bucket: string,
  signal: AbortSignal | undefined,
): Promise<Encryption | null> {
  const doing = `reading the encryption of ${bucket}`;
  try {
    const output = await requests.send({ kind: "other", doing }, signal, (client, options) =>
      client.send(new GetBucketEncryptionCommand({ Bucket: bucket }), options),
    );
    const rule = output.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
    if (rule?.SSEAlgorithm === undefined) return null;
    return { algorithm: rule.SSEAlgorithm, keyId: rule.KMSMasterKeyID ?? null };
  } catch (error) {
    if (hasKind(error, ...NOT_TOLD)) return null;
    throw error;
  }
}

async function versioningOf(
  requests: S3Requests,
  bucket: string,
  signal: AbortSignal | undefined,
): Promise<BucketFacts["versioning"]> {
  const doing = `reading the versioning of ${bucket}`;
  try {
    const output = await requests.send({ kind: "other", doing }, signal, (client, options) =>
      client.send(new GetBucketVersioningCommand({ Bucket: bucket }), options),
    );
    if (output.Status === undefined) return "off";
    return output.Status === "Enabled" ? "enabled" : "suspended";
  } catch (error) {
    if (hasKind(error, "not_implemented")) return "off";
    throw error;
  }
}
