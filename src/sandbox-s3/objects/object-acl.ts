/** This file is an object's access control list: what `x-amz-acl` makes of it, and GetObjectAcl. */

import type { IncomingHttpHeaders } from "node:http";
import { OWNER_XML } from "../buckets/bucket-operations.ts";
import type { StoreState } from "../buckets/store-state.ts";
import { type Answer, xmlAnswer } from "../protocol/answer.ts";
import { s3Error } from "../protocol/s3-error.ts";
import type { S3Request } from "../protocol/s3-request.ts";
import { element } from "../protocol/xml.ts";
import { findObject } from "./get-object.ts";
import { type CannedAcl, isCannedAcl } from "./stored-object.ts";

const XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';
const OWNER = `<Grantee ${XSI} xsi:type="CanonicalUser">${element("ID", "sandbox-owner")}</Grantee>`;
const ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";

/** What each canned list grants to others than the owner; here the bucket's owner is the object's. */
const GRANTS: Readonly<Record<CannedAcl, readonly (readonly [group: string, permission: string])[]>> = {
  private: [],
  "public-read": [[ALL_USERS, "READ"]],
  "public-read-write": [
    [ALL_USERS, "READ"],
    [ALL_USERS, "WRITE"],
  ],
  "authenticated-read": [[AUTHENTICATED_USERS, "READ"]],
  "bucket-owner-read": [],
  "bucket-owner-full-control": [],
};

/** The list a request that writes an object asks for; undefined, which is private, where it asks for none. */
export function readAcl(headers: IncomingHttpHeaders): CannedAcl | undefined {
  const name = headers["x-amz-acl"];
  if (name === undefined) return undefined;
  if (typeof name !== "string" || !isCannedAcl(name)) throw s3Error("InvalidArgument", "Unknown canned ACL");
  return name === "private" ? undefined : name;
}

/** Answers with who may do what with an object. */
export function getObjectAcl(state: StoreState, request: S3Request): Answer {
  const { target } = request;
  const object = findObject(state.bucket(target.bucket), target.key, target.query.get("versionId"));
  const others = GRANTS[object.contents.acl ?? "private"].map(([group, permission]) =>
    grant(`<Grantee ${XSI} xsi:type="Group">${element("URI", group)}</Grantee>`, permission),
  );
  const list = [grant(OWNER, "FULL_CONTROL"), ...others].join("");
  return xmlAnswer("AccessControlPolicy", `${OWNER_XML}<AccessControlList>${list}</AccessControlList>`);
}

function grant(grantee: string, permission: string): string {
  return `<Grant>${grantee}${element("Permission", permission)}</Grant>`;
}
