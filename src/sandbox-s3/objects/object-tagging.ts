/** GetObjectTagging and PutObjectTagging. */

import type { StoreState } from "../buckets/store-state.ts";
import { type Answer, emptyAnswer, pushHeader, xmlAnswer } from "../protocol/answer.ts";
import { checkTags } from "../protocol/object-headers.ts";
import { s3Error } from "../protocol/s3-error.ts";
import type { S3Request } from "../protocol/s3-request.ts";
import { element } from "../protocol/xml.ts";
import { childText, readXml } from "../protocol/xml-reader.ts";
import { requestedObject } from "./get-object.ts";
import type { ObjectTag } from "./stored-object.ts";

/** Answers with the tags of an object. */
export function getObjectTagging(state: StoreState, request: S3Request): Answer {
  const { bucket, object } = requestedObject(state, request);
  const tags = object.tags.map(
    (tag) => `<Tag>${element("Key", tag.key)}${element("Value", tag.value)}</Tag>`,
  );
  const headers: string[] = [];
  pushHeader(headers, "x-amz-version-id", bucket.shownVersionId(object));
  return xmlAnswer("Tagging", `<TagSet>${tags.join("")}</TagSet>`, headers);
}

/** Replaces the tags of an object; makes no new version. */
export function putObjectTagging(state: StoreState, request: S3Request): Answer {
  const tags = readTagging(request.body);
  const { bucket, object } = requestedObject(state, request);
  object.tags = tags;
  const headers: string[] = [];
  pushHeader(headers, "x-amz-version-id", bucket.shownVersionId(object));
  return emptyAnswer(200, headers);
}

function readTagging(body: Buffer): readonly ObjectTag[] {
  const root = readXml(body);
  const set = root.children.find((child) => child.name === "TagSet");
  if (root.name !== "Tagging" || set === undefined) throw s3Error("MalformedXML");
  const tags = set.children.map((tag) => {
    const key = childText(tag, "Key");
    const value = childText(tag, "Value");
    if (tag.name !== "Tag" || key === undefined || value === undefined) throw s3Error("MalformedXML");
    return { key, value };
  });
  return checkTags(tags);
}
