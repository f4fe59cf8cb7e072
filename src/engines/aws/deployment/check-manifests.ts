/** Checks the bucket of manifests and reports. */

import {
  DeleteObjectCommand,
  GetBucketPolicyCommand,
  HeadBucketCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import type { DeploymentFinding } from "../../../ports/deployment.ts";
import {
  attempt,
  type CheckParts,
  codeOf,
  error,
  findingOf,
  type StepResult,
  warning,
} from "./check-parts.ts";

/** Whether the bucket is the account's, in the Region, writable, and takes objects that S3 encrypts by itself. */
export function checkManifests(parts: CheckParts): Promise<StepResult> {
  const { s3, settings, signal } = parts;
  const { bucket } = settings.manifests;
  const options = { abortSignal: signal };
  return attempt(
    async () => {
      const head = new HeadBucketCommand({ Bucket: bucket, ExpectedBucketOwner: settings.accountId });
      const { BucketRegion } = await s3.send(head, options);
      const detail = `${bucket} in ${BucketRegion ?? "an unknown Region"}`;
      if (BucketRegion !== undefined && BucketRegion !== settings.region) {
        const message = `${bucket} is in ${BucketRegion}, and the function in ${settings.region}`;
        return { detail, findings: [error("manifests_region", message)] };
      }
      return { detail, findings: [...(await writeProbe(parts)), ...(await policyFindings(parts))] };
    },
    (thrown) =>
      findingOf(thrown, "looking at the bucket of manifests", "", {
        404: error("manifests_missing", `there is no bucket ${bucket}`),
        NotFound: error("manifests_missing", `there is no bucket ${bucket}`),
        403: error(
          "manifests_denied",
          `${bucket} is not account ${settings.accountId}'s, or the service has no right s3:ListBucket on it`,
        ),
      }),
  );
}

/** Writes an object as a manifest is written, and removes it. */
async function writeProbe({ s3, settings, signal }: CheckParts): Promise<DeploymentFinding[]> {
  const { bucket, prefix } = settings.manifests;
  const at = { Bucket: bucket, Key: `${prefix}check-${crypto.randomUUID()}/probe` };
  const resource = `arn:aws:s3:::${bucket}/${prefix}*`;
  try {
    const body = { Body: "tranship check\n", ServerSideEncryption: "AES256" } as const;
    await s3.send(new PutObjectCommand({ ...at, ...body }), { abortSignal: signal });
  } catch (thrown) {
    return [findingOf(thrown, "writing as a manifest is written", `s3:PutObject on ${resource}`)];
  }
  try {
    await s3.send(new DeleteObjectCommand(at), { abortSignal: signal });
    return [];
  } catch (thrown) {
    const reason = findingOf(thrown, "removing it", `s3:DeleteObject on ${resource}`);
    return [reason, warning("canary_left", `${bucket}/${at.Key} is left there; delete it`)];
  }
}

/** Reports are always encrypted by S3's own key: a policy that demands KMS makes S3 lose them. */
async function policyFindings({ s3, settings, signal }: CheckParts): Promise<DeploymentFinding[]> {
  const { bucket } = settings.manifests;
  try {
    const { Policy = "" } = await s3.send(new GetBucketPolicyCommand({ Bucket: bucket }), {
      abortSignal: signal,
    });
    if (!demandsKms(Policy)) return [];
    const message = `the policy of ${bucket} refuses objects without KMS encryption, and reports never have it: exempt ${settings.manifests.prefix}*`;
    return [error("manifests_demand_kms", message)];
  } catch (thrown) {
    if (codeOf(thrown) === "NoSuchBucketPolicy") return [];
    const finding = findingOf(
      thrown,
      "reading the bucket's policy",
      `s3:GetBucketPolicy on arn:aws:s3:::${bucket}`,
    );
    return [{ ...finding, severity: "warning" }];
  }
}

const ENCRYPTION = "s3:x-amz-server-side-encryption";

interface PolicyStatement {
  readonly Effect?: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Whether a statement denies what is encrypted with AES256 for not being encrypted by KMS. */
export function demandsKms(policy: string): boolean {
  let statements: PolicyStatement | readonly PolicyStatement[];
  try {
    statements = (JSON.parse(policy) as { readonly Statement: PolicyStatement }).Statement;
  } catch {
    return false;
  }
  return [statements].flat().some(({ Effect, Condition = {} }) => {
    if (Effect !== "Deny") return false;
    return Object.entries(Condition).some(([operator, keys]) =>
      Object.entries(keys).some(([key, value]) => refusesAes(operator, key.toLowerCase(), [value].flat())),
    );
  });
}

function refusesAes(operator: string, key: string, values: readonly unknown[]): boolean {
  if (key === `${ENCRYPTION}-aws-kms-key-id`) return /^(Null|StringNot|ArnNot)/.test(operator);
  return key === ENCRYPTION && /^StringNot/.test(operator) && !values.includes("AES256");
}
