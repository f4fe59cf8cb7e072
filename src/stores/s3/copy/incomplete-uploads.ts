/** Finds incomplete multipart uploads that an interrupted copy has left: they are billed until they are aborted. */

import { ListMultipartUploadsCommand, type MultipartUpload } from "@aws-sdk/client-s3";
import type { S3Requests } from "../client/s3-requests.ts";
import { decodeListedKey } from "../read/listing.ts";
import { hasKind } from "../s3-errors.ts";

/** Identifies a multipart upload. */
export interface Upload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
}

/**
 * Other uploads to the key of `own`, which has just begun, by the same initiator: an application may be uploading to the
 * key, too, and must not lose its upload. Where the store names no initiators all of them count. None where the account
 * may not list uploads, which is no obstacle to a copy.
 */
export async function findIncompleteUploads(
  requests: S3Requests,
  own: Upload,
  signal: AbortSignal | undefined,
): Promise<Upload[]> {
  const { Bucket, Key } = own;
  const doing = `looking for unfinished uploads of ${Bucket}/${Key}`;
  try {
    // Uploads are listed by key, so those of the key itself come before those of longer ones.
    const { Uploads: uploads = [] } = await requests.send(
      { kind: "list", doing },
      signal,
      (client, options) =>
        client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key, EncodingType: "url" }), options),
    );
    const listedOwn = uploads.find(({ UploadId }) => UploadId === own.UploadId);
    if (listedOwn === undefined) return [];
    const initiator = initiatorOf(listedOwn);
    return uploads.flatMap((upload) => {
      const { Key: listed = "", UploadId } = upload;
      if (UploadId === undefined || UploadId === own.UploadId || !mayBeKey(listed, Key)) return [];
      const by = initiatorOf(upload);
      return by === null || initiator === null || by === initiator ? [{ Bucket, Key, UploadId }] : [];
    });
  } catch (error) {
    if (hasKind(error, "denied", "not_implemented")) return [];
    throw error;
  }
}

/** The name of a role's session differs from process to process and is left out of the comparison. */
const ROLE_SESSION = /^(arn:[^:]*:sts:[^:]*:[^:]*:assumed-role\/[^/]+)\/.*$/;

function initiatorOf({ Initiator }: MultipartUpload): string | null {
  return Initiator?.ID?.replace(ROLE_SESSION, "$1") ?? null;
}

/**
 * Whether a listed key may be `key`. Ceph encodes the keys of uploads and versions without saying so, hence both readings
 * count. A wrong match is harmless: an id is only used together with the key it belongs to.
 */
export function mayBeKey(listed: string, key: string): boolean {
  if (listed === key) return true;
  try {
    return decodeListedKey(listed) === key;
  } catch {
    return false;
  }
}
