/** PutObject. */

import { randomBytes } from "node:crypto";
import type { StoreState } from "../buckets/store-state.ts";
import { type Answer, emptyAnswer, pushHeader } from "../protocol/answer.ts";
import { checkWriteConditions } from "../protocol/conditions.ts";
import { pushChecksum, pushEncryption, readWrittenContents } from "../protocol/object-headers.ts";
import { verifyDigests } from "../protocol/payload-digests.ts";
import type { S3Request } from "../protocol/s3-request.ts";
import { BytesBody, type ObjectBody } from "./object-body.ts";
import { DEFAULT_CHECKSUM, type ObjectEncryption } from "./stored-object.ts";

/** Stores the request's body. */
export function putObject(state: StoreState, request: S3Request): Answer {
  const { target, headers } = request;
  const bucket = state.bucket(target.bucket);
  checkWriteConditions(headers, bucket.current(target.key));
  const body = new BytesBody(request.body);
  const algorithm = verifyDigests(headers, body);
  const written = readWrittenContents(headers, bucket);
  const object = bucket.put(
    target.key,
    {
      ...written,
      body,
      etag: singlePartEtag(body, written.encryption),
      checksum: algorithm === undefined ? DEFAULT_CHECKSUM : { algorithm },
    },
    state.clock.nowMs(),
  );
  const answer = ["ETag", `"${object.contents.etag}"`];
  pushChecksum(answer, object);
  pushEncryption(answer, written.encryption);
  pushHeader(answer, "x-amz-version-id", bucket.shownVersionId(object));
  return emptyAnswer(200, answer);
}

/** The ETag of an object written in one piece: its MD5, but with KMS keys nothing that can be computed. */
export function singlePartEtag(body: ObjectBody, encryption: ObjectEncryption): string {
  return encryption.algorithm.startsWith("aws:kms") ? randomBytes(16).toString("hex") : body.md5();
}
