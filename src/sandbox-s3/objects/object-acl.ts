/** The access control list of an object: what a canned one grants, and GetObjectAcl. */

import { OWNER_XML } from "../buckets/bucket-operations.ts";
import type { StoreState } from "../buckets/store-state.ts";
import { type Answer, xmlAnswer } from "../protocol/answer.ts";
import type { S3Request } from "../protocol/s3-request.ts";
import { element } from "../protocol/xml.ts";
import { requestedObject } from "./get-object.ts";
import type { CannedAcl } from "./stored-object.ts";

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

/** Answers with who may do what with an object. */
export function getObjectAcl(state: StoreState, request: S3Request): Answer {
  const { object } = requestedObject(state, request);
  const others = GRANTS[object.contents.acl ?? "private"].map(([group, permission]) =>
    grant(`<Grantee ${XSI} xsi:type="Group">${element("URI", group)}</Grantee>`, permission),
  );
  const list = [grant(OWNER, "FULL_CONTROL"), ...others].join("");
  return xmlAnswer("AccessControlPolicy", `${OWNER_XML}<AccessControlList>${list}</AccessControlList>`);
}

function grant(grantee: string, permission: string): string {
  return `<Grant>${grantee}${element("Permission", permission)}</Grant>`;
}
