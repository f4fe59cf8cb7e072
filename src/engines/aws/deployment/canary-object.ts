/** A small object under the source prefix that is copied to try a deployment, and removed with its copy. */

import { DeleteObjectCommand, HeadObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { DeployedRelocation, DeploymentFinding } from "../../../ports/deployment.ts";
import { type CheckParts, codeOf, findingOf, warning } from "./check-parts.ts";

const BODY = "tranship canary\n";

export interface CanaryObject {
  readonly source: {
    readonly bucket: string;
    readonly key: string;
    readonly etag: string;
    readonly size: number;
  };
  readonly target: { readonly bucket: string; readonly key: string };
}

/** Writes a canary under a name of its own; gives what it needs to be copied, or the finding. */
export async function writeCanary({
  s3,
  relocation,
  signal,
}: CheckParts): Promise<CanaryObject | DeploymentFinding> {
  const { source, target } = relocation;
  const name = `.tranship-canary-${crypto.randomUUID()}`;
  const at = { Bucket: source.bucket, Key: source.prefix + name };
  try {
    const { ETag = "" } = await s3.send(new PutObjectCommand({ ...at, Body: BODY }), { abortSignal: signal });
    return {
      source: { bucket: at.Bucket, key: at.Key, etag: ETag.replaceAll('"', ""), size: BODY.length },
      target: { bucket: target.bucket, key: target.prefix + name },
    };
  } catch (thrown) {
    return findingOf(thrown, "writing a canary", `s3:PutObject on ${arnOf(source)}`);
  }
}

/** The ETag of the copy; null: there is none. */
export async function copyOf(s3: S3Client, { target }: CanaryObject): Promise<string | null> {
  try {
    const { ETag = "" } = await s3.send(new HeadObjectCommand({ Bucket: target.bucket, Key: target.key }));
    return ETag.replaceAll('"', "");
  } catch (thrown) {
    if (["404", "NotFound", "NoSuchKey"].includes(codeOf(thrown))) return null;
    throw thrown;
  }
}

/** Removes the canary and its copy; also after the check was stopped. */
export async function removeCanary(
  { s3, relocation }: Pick<CheckParts, "s3" | "relocation">,
  { source, target }: CanaryObject,
): Promise<DeploymentFinding[]> {
  const findings: DeploymentFinding[] = [];
  for (const [{ bucket, key }, place] of [
    [source, relocation.source],
    [target, relocation.target],
  ] as const) {
    try {
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    } catch (thrown) {
      findings.push(findingOf(thrown, "removing a canary", `s3:DeleteObject on ${arnOf(place)}`));
      findings.push(warning("canary_left", `the canary may be left at ${bucket}/${key}; delete it`));
    }
  }
  return findings;
}

export function arnOf({ bucket, prefix }: DeployedRelocation["source"]): string {
  return `arn:aws:s3:::${bucket}/${prefix}*`;
}
