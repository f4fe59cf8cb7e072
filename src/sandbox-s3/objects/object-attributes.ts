/** This file is GetObjectAttributes. */

import type { StoreState } from "../buckets/store-state.ts";
import { type Answer, pushHeader, xmlAnswer } from "../protocol/answer.ts";
import { checksumElement } from "../protocol/checksums.ts";
import { s3Error } from "../protocol/s3-error.ts";
import { header, type S3Request } from "../protocol/s3-request.ts";
import { element } from "../protocol/xml.ts";
import { findObject } from "./get-object.ts";
import { checksumOf, type ObjectContents } from "./stored-object.ts";

const WRITERS: Readonly<Record<string, (contents: ObjectContents) => string>> = {
  ETag: (contents) => element("ETag", contents.etag),
  Checksum: (contents) => {
    const { value, type } = checksumOf(contents);
    const name = checksumElement(contents.checksum.algorithm);
    return `<Checksum>${element(name, value)}${element("ChecksumType", type)}</Checksum>`;
  },
  ObjectParts: (contents) =>
    contents.parts === undefined
      ? ""
      : `<ObjectParts>${element("PartsCount", contents.parts.length)}</ObjectParts>`,
  StorageClass: (contents) => element("StorageClass", contents.storageClass),
  ObjectSize: (contents) => element("ObjectSize", contents.body.size),
};

/** Answers with the attributes that `x-amz-object-attributes` lists; of parts, only their number. */
export function getObjectAttributes(state: StoreState, request: S3Request): Answer {
  const { target } = request;
  const bucket = state.bucket(target.bucket);
  const object = findObject(bucket, target.key, target.query.get("versionId"));
  const wanted = (header(request, "x-amz-object-attributes") ?? "").split(",").map((name) => name.trim());
  const content = wanted.map((name) => {
    const write = WRITERS[name];
    if (write === undefined) throw s3Error("InvalidArgument", "Invalid attribute name specified.");
    return write(object.contents);
  });
  const headers = ["Last-Modified", state.clock.httpDate(object.lastModifiedMs)];
  pushHeader(headers, "x-amz-version-id", bucket.shownVersionId(object));
  return xmlAnswer("GetObjectAttributesResponse", content.join(""), headers);
}
