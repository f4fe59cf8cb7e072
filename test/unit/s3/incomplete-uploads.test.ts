/** Which unfinished uploads to a key are our own, and may be aborted. */

import type { MultipartUpload } from "@aws-sdk/client-s3";
import { expect, it } from "vitest";
import type { S3Requests } from "../../../src/stores/s3/client/s3-requests.ts";
import { findIncompleteUploads } from "../../../src/stores/s3/copy/incomplete-uploads.ts";
import { S3Fault } from "../../../src/stores/s3/s3-errors.ts";

const OWN = { Bucket: "b", Key: "film 1.mp4", UploadId: "own" };
const USER = "arn:aws:iam::123456789012:user/mover";
const session = (role: string, name: string) => `arn:aws:sts::123456789012:assumed-role/${role}/${name}`;

const upload = (UploadId: string, by: string | null, Key = OWN.Key): MultipartUpload => ({
  Key,
  UploadId,
  ...(by !== null && { Initiator: { ID: by } }),
});

const listing = (Uploads: MultipartUpload[]) =>
  ({ send: async () => ({ Uploads }) }) as unknown as S3Requests;

it.each<[string, MultipartUpload[], string[]]>([
  ["the same user's", [upload("own", USER), upload("left", USER)], ["left"]],
  ["another user's", [upload("own", USER), upload("left", `${USER}2`)], []],
  [
    "of another process of the same role",
    [upload("own", session("r", "1")), upload("left", session("r", "2"))],
    ["left"],
  ],
  ["another role's", [upload("own", session("r", "1")), upload("left", session("app", "1"))], []],
  ["of a store that names no initiators", [upload("own", null), upload("left", null)], ["left"]],
  ["with a key as Ceph encodes it", [upload("own", USER), upload("left", USER, "film%201.mp4")], ["left"]],
  ["to a longer key", [upload("own", USER), upload("left", USER, "film 1.mp4.bak")], []],
  ["where ours is not listed, so that the initiators cannot be compared", [upload("left", USER)], []],
])("an upload %s", async (_, uploads, expected) => {
  const found = await findIncompleteUploads(listing(uploads), OWN, undefined);
  expect(found).toEqual(expected.map((UploadId) => ({ ...OWN, UploadId })));
});

const answering = (code: string, status: number) => {
  const fault = new S3Fault({ code, status, message: "" }, "looking");
  return { fault, requests: { send: () => Promise.reject(fault) } as unknown as S3Requests };
};

it.each([
  ["AccessDenied", 403],
  ["NotImplemented", 501],
])("not being able to look is no obstacle: %s", async (code, status) => {
  expect(await findIncompleteUploads(answering(code, status).requests, OWN, undefined)).toEqual([]);
});

it("a store that is busy is asked again by the caller", async () => {
  const { fault, requests } = answering("SlowDown", 503);
  await expect(findIncompleteUploads(requests, OWN, undefined)).rejects.toBe(fault);
});
