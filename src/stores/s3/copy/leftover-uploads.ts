/** Finds the unfinished uploads that an earlier, interrupted copy to the same key left: they are billed for as long as they stand. */

import { ListMultipartUploadsCommand, type MultipartUpload } from "@aws-sdk/client-s3";
import type { S3Requests } from "../client/s3-requests.ts";
import { decodeListedKey } from "../read/listing.ts";
import { S3Fault } from "../s3-errors.ts";

/** An upload in parts that has begun. */
export interface Upload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
}

/**
 * Uploads to the key of `own`, which has just begun, by whoever began that: an application may be uploading to the same key
 * at this moment, and must not lose it. Where the store does not say who began them all are taken for ours. None
 * when looking is not allowed: that is no obstacle to a copy.
 */
export async function findLeftovers(
  requests: S3Requests,
  own: Upload,
  signal: AbortSignal | undefined,
): Promise<Upload[]> {
  const { Bucket, Key } = own;
  const doing = `looking for unfinished uploads of ${Bucket}/${Key}`;
  try {
    // Uploads are listed by key, so those of the key itself come before those of longer ones.
    const { Uploads: found = [] } = await requests.send({ kind: "list", doing }, signal, (client, options) =>
      client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key, EncodingType: "url" }), options),
    );
    const ours = found.find(({ UploadId }) => UploadId === own.UploadId);
    if (ours === undefined) return [];
    const isOurs = (one: MultipartUpload) =>
      initiatorOf(one) === null || initiatorOf(ours) === null || initiatorOf(one) === initiatorOf(ours);
    return found.flatMap((one) => {
      const { Key: listed = "", UploadId } = one;
      if (UploadId === undefined || UploadId === own.UploadId) return [];
      return maybeNames(listed, Key) && isOurs(one) ? [{ Bucket, Key, UploadId }] : [];
    });
  } catch (error) {
    const isHarmless =
      error instanceof S3Fault && (error.kind === "denied" || error.kind === "not_implemented");
    if (!isHarmless) throw error;
    return [];
  }
}

/** A role's session has a name of its own in each process, which says nothing of who it is. */
const ROLE_SESSION = /^(arn:[^:]*:sts:[^:]*:[^:]*:assumed-role\/[^/]+)\/.*$/;

function initiatorOf({ Initiator }: MultipartUpload): string | null {
  return Initiator?.ID?.replace(ROLE_SESSION, "$1") ?? null;
}

/**
 * Whether a listed key may be `key`. Ceph encodes the keys of uploads without saying so, hence both readings count. A wrong guess is harmless: an upload
 * id is only aborted together with the key it belongs to.
 */
export function maybeNames(listed: string, key: string): boolean {
  if (listed === key) return true;
  try {
    return decodeListedKey(listed) === key;
  } catch {
    return false;
  }
}
