/** The function of each operation. */

import {
  createBucket,
  getBucketEncryption,
  getBucketLocation,
  getBucketVersioning,
  headBucket,
  listBuckets,
  putBucketVersioning,
} from "../buckets/bucket-operations.ts";
import { listObjects, listObjectsV2 } from "../buckets/list-objects.ts";
import { listObjectVersions } from "../buckets/list-versions.ts";
import type { StoreState } from "../buckets/store-state.ts";
import { completeMultipartUpload } from "../objects/complete-multipart-upload.ts";
import { copyObject } from "../objects/copy-object.ts";
import { deleteObject, deleteObjects } from "../objects/delete-objects.ts";
import { getObject, headObject } from "../objects/get-object.ts";
import { listMultipartUploads } from "../objects/list-multipart.ts";
import {
  abortMultipartUpload,
  createMultipartUpload,
  uploadPart,
  uploadPartCopy,
} from "../objects/multipart-operations.ts";
import { getObjectAcl } from "../objects/object-acl.ts";
import { getObjectTagging, putObjectTagging } from "../objects/object-tagging.ts";
import { putObject } from "../objects/put-object.ts";
import type { Answer } from "./answer.ts";
import { s3Error } from "./s3-error.ts";
import type { S3Operation, S3Request } from "./s3-request.ts";

/** Performs an operation at once; throws S3Error for what S3 answers with an error. */
export type Operation = (state: StoreState, request: S3Request) => Answer;

/** Every operation the sandbox store serves. */
export const OPERATIONS: Readonly<Record<S3Operation, Operation>> = {
  AbortMultipartUpload: abortMultipartUpload,
  CompleteMultipartUpload: completeMultipartUpload,
  CopyObject: copyObject,
  CreateBucket: createBucket,
  CreateMultipartUpload: createMultipartUpload,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  GetBucketEncryption: getBucketEncryption,
  GetBucketLocation: getBucketLocation,
  GetBucketVersioning: getBucketVersioning,
  GetObject: getObject,
  GetObjectAcl: getObjectAcl,
  GetObjectTagging: getObjectTagging,
  HeadBucket: headBucket,
  HeadObject: headObject,
  ListBuckets: listBuckets,
  ListMultipartUploads: listMultipartUploads,
  ListObjectVersions: listObjectVersions,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  PutBucketVersioning: putBucketVersioning,
  PutObject: putObject,
  PutObjectTagging: putObjectTagging,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
  Unknown: () => {
    throw s3Error("NotImplemented");
  },
};
