/** The operations on buckets. */

import { type Answer, emptyAnswer, xmlAnswer } from "../protocol/answer.ts";
import { s3Error } from "../protocol/s3-error.ts";
import type { S3Request } from "../protocol/s3-request.ts";
import { element } from "../protocol/xml.ts";
import { childText, readXml } from "../protocol/xml-reader.ts";
import type { StoreState } from "./store-state.ts";

const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** The one owner of everything in the store. */
export const OWNER_XML = `<Owner>${element("ID", "sandbox-owner")}${element("DisplayName", "sandbox")}</Owner>`;

export function listBuckets(state: StoreState): Answer {
  const names = [...state.buckets.keys()].sort();
  const buckets = names.map((name) => {
    const created = state.clock.isoDate(state.bucket(name).createdMs);
    return `<Bucket>${element("Name", name)}${element("CreationDate", created)}</Bucket>`;
  });
  return xmlAnswer("ListAllMyBucketsResult", `${OWNER_XML}<Buckets>${buckets.join("")}</Buckets>`);
}

export function createBucket(state: StoreState, request: S3Request): Answer {
  const { bucket } = request.target;
  if (!BUCKET_NAME.test(bucket))
    throw s3Error("InvalidBucketName", undefined, { fields: { BucketName: bucket } });
  // In us-east-1 S3 lets the owner create a bucket again; elsewhere it is an error.
  if (state.buckets.has(bucket) && state.region !== "us-east-1") {
    throw s3Error("BucketAlreadyOwnedByYou", undefined, { fields: { BucketName: bucket } });
  }
  state.createBucket(bucket);
  return emptyAnswer(200, ["Location", `/${bucket}`]);
}

export function headBucket(state: StoreState, request: S3Request): Answer {
  const { region } = state.bucket(request.target.bucket);
  return emptyAnswer(200, ["x-amz-bucket-region", region, "x-amz-access-point-alias", "false"]);
}

export function getBucketLocation(state: StoreState, request: S3Request): Answer {
  const { region } = state.bucket(request.target.bucket);
  // The oldest region has no name here.
  return xmlAnswer("LocationConstraint", region === "us-east-1" ? "" : region);
}

export function getBucketEncryption(state: StoreState, request: S3Request): Answer {
  const { algorithm, kmsKeyId, bucketKey } = state.bucket(request.target.bucket).encryption;
  const key = kmsKeyId === undefined ? "" : element("KMSMasterKeyID", kmsKeyId);
  const byDefault = `<ApplyServerSideEncryptionByDefault>${element("SSEAlgorithm", algorithm)}${key}</ApplyServerSideEncryptionByDefault>`;
  const rule = `<Rule>${byDefault}${element("BucketKeyEnabled", String(bucketKey ?? false))}</Rule>`;
  return xmlAnswer("ServerSideEncryptionConfiguration", rule);
}

export function getBucketVersioning(state: StoreState, request: S3Request): Answer {
  const { versioning } = state.bucket(request.target.bucket);
  return xmlAnswer("VersioningConfiguration", versioning === "Never" ? "" : element("Status", versioning));
}

export function putBucketVersioning(state: StoreState, request: S3Request): Answer {
  const bucket = state.bucket(request.target.bucket);
  const status = childText(readXml(request.body), "Status");
  if (status !== "Enabled" && status !== "Suspended")
    throw s3Error("IllegalVersioningConfigurationException");
  bucket.versioning = status;
  return emptyAnswer(200);
}
