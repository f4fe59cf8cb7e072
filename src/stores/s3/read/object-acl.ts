/** GetObjectAcl: whether an object's access control list grants anything to others than its owner. */

import { GetObjectAclCommand } from "@aws-sdk/client-s3";
import type { ObjectAcl } from "../../../ports/object-store.ts";
import type { S3Requests } from "../client/s3-requests.ts";
import { hasKind, NOT_TOLD } from "../s3-errors.ts";

/** A copy gets a private ACL, so grants to others are not kept. Throws what every request may throw. */
export async function fetchAcl(
  requests: S3Requests,
  at: { readonly bucket: string; readonly key: string },
  signal: AbortSignal | undefined,
): Promise<ObjectAcl> {
  const doing = `reading the ACL of ${at.bucket}/${at.key}`;
  try {
    const { Owner, Grants = [] } = await requests.send({ kind: "other", doing }, signal, (client, options) =>
      client.send(new GetObjectAclCommand({ Bucket: at.bucket, Key: at.key }), options),
    );
    if (Owner?.ID === undefined) return "not_told";
    return Grants.every(({ Grantee }) => Grantee?.ID === Owner.ID) ? "private" : "shared";
  } catch (error) {
    if (hasKind(error, ...NOT_TOLD)) return "not_told";
    throw error;
  }
}
