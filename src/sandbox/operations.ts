/** This file is the table from operation to code. */

import type { Answer } from "./answer.ts";
import {
  createBucket,
  deleteBucket,
  getBucketEncryption,
  getBucketLocation,
  getBucketVersioning,
  headBucket,
  listBuckets,
  putBucketVersioning,
} from "./bucket-operations.ts";
import { completeMultipartUpload } from "./complete-multipart-upload.ts";
import { copyObject } from "./copy-object.ts";
import { deleteObject, deleteObjects } from "./delete-objects.ts";
import { getObject, headObject } from "./get-object.ts";
import { listMultipartUploads, listParts } from "./list-multipart.ts";
import { listObjects, listObjectsV2 } from "./list-objects.ts";
import { listObjectVersions } from "./list-versions.ts";
import {
  abortMultipartUpload,
  createMultipartUpload,
  uploadPart,
  uploadPartCopy,
} from "./multipart-operations.ts";
import { getObjectAcl } from "./object-acl.ts";
import { getObjectAttributes } from "./object-attributes.ts";
import { deleteObjectTagging, getObjectTagging, putObjectTagging } from "./object-tagging.ts";
import { putObject } from "./put-object.ts";
import { s3Error } from "./s3-error.ts";
import type { S3Operation, S3Request } from "./s3-request.ts";
import type { StoreState } from "./store-state.ts";

/** Performs an operation at once; throws S3Error for what S3 answers with an error. */
export type Operation = (state: StoreState, request: S3Request) => Answer;

/** Every operation the sandbox store serves. */
export const OPERATIONS: Readonly<Record<S3Operation, Operation>> = {
  AbortMultipartUpload: abortMultipartUpload,
  CompleteMultipartUpload: completeMultipartUpload,
  CopyObject: copyObject,
  CreateBucket: createBucket,
  CreateMultipartUpload: createMultipartUpload,
  DeleteBucket: deleteBucket,
  DeleteObject: deleteObject,
  DeleteObjectTagging: deleteObjectTagging,
  DeleteObjects: deleteObjects,
  GetBucketEncryption: getBucketEncryption,
  GetBucketLocation: getBucketLocation,
  GetBucketVersioning: getBucketVersioning,
  GetObject: getObject,
  GetObjectAcl: getObjectAcl,
  GetObjectAttributes: getObjectAttributes,
  GetObjectTagging: getObjectTagging,
  HeadBucket: headBucket,
  HeadObject: headObject,
  ListBuckets: listBuckets,
  ListMultipartUploads: listMultipartUploads,
  ListObjectVersions: listObjectVersions,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  ListParts: listParts,
  PutBucketVersioning: putBucketVersioning,
  PutObject: putObject,
  PutObjectTagging: putObjectTagging,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
  Unknown: () => {
    throw s3Error("NotImplemented");
  },
};
