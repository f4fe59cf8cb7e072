/** What the sandbox store keeps for each version of an object. */

import type { ChecksumAlgorithm } from "../protocol/checksums.ts";
import type { ObjectBody } from "./object-body.ts";

/** Headers that belong to an object's contents; shared by every copy that keeps them. */
export interface ObjectAttributes {
  readonly contentType: string;
  readonly cacheControl?: string;
  readonly contentDisposition?: string;
  readonly contentEncoding?: string;
  readonly contentLanguage?: string;
  readonly expires?: string;
  /** User metadata, names in lower case without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** One tag of an object. */
export interface ObjectTag {
  readonly key: string;
  readonly value: string;
}

/** A kept checksum: computed from the body when asked for, unless it is a composite over parts. */
export interface StoredChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** `base64-N`, for multipart uploads with the COMPOSITE type. */
  readonly composite?: string;
}

/** What a multipart object remembers of each part. */
export interface PartSummary {
  readonly number: number;
  readonly size: number;
}

/** How the object is encrypted at rest, as the answers tell it. */
export interface ObjectEncryption {
  readonly algorithm: string;
  readonly kmsKeyId?: string;
  /** Whether a key of the bucket's saves requests to KMS. */
  readonly bucketKey?: boolean;
}

/** A restored (or being restored) copy of an archived object. */
export interface RestoreState {
  readonly ongoing: boolean;
  readonly expiry?: Date;
}

/** Archive tiers of INTELLIGENT_TIERING. */
export type ArchiveStatus = "ARCHIVE_ACCESS" | "DEEP_ARCHIVE_ACCESS";

const CANNED_ACLS = [
  "private",
  "public-read",
  "public-read-write",
  "authenticated-read",
  "bucket-owner-read",
  "bucket-owner-full-control",
] as const;

/** The ready-made access control lists that `x-amz-acl` names. */
export type CannedAcl = (typeof CANNED_ACLS)[number];

/** Whether `name` names one. */
export function isCannedAcl(name: string): name is CannedAcl {
  return (CANNED_ACLS as readonly string[]).includes(name);
}

/** Everything about a version except its place among the others. */
export interface ObjectContents {
  readonly body: ObjectBody;
  /** Without quotes. */
  readonly etag: string;
  readonly attributes: ObjectAttributes;
  readonly storageClass: string;
  readonly encryption: ObjectEncryption;
  readonly checksum: StoredChecksum;
  readonly tags: readonly ObjectTag[];
  readonly websiteRedirectLocation?: string | undefined;
  readonly parts?: readonly PartSummary[] | undefined;
  readonly restore?: RestoreState | undefined;
  readonly archiveStatus?: ArchiveStatus | undefined;
  /** Private unless given. */
  readonly acl?: CannedAcl | undefined;
}

/** A version that holds an object. */
export interface StoredObject {
  readonly isDeleteMarker: false;
  readonly versionId: string;
  /** Whole seconds, as S3 keeps it. */
  readonly lastModifiedMs: number;
  readonly contents: ObjectContents;
  /** Tags may change without a new version. */
  tags: readonly ObjectTag[];
  older: StoredVersion | undefined;
}

/** A version that says "deleted". */
export interface DeleteMarker {
  readonly isDeleteMarker: true;
  readonly versionId: string;
  readonly lastModifiedMs: number;
  older: StoredVersion | undefined;
}

/** A version of a key; versions form a list from the newest to the oldest. */
export type StoredVersion = StoredObject | DeleteMarker;

/** Attributes of an object uploaded without any header. */
export const PLAIN_ATTRIBUTES: ObjectAttributes = { contentType: "binary/octet-stream", metadata: {} };

/** S3 encrypts everything with its own keys unless told otherwise. */
export const DEFAULT_ENCRYPTION: ObjectEncryption = { algorithm: "AES256" };

/** S3 adds this checksum to whatever is uploaded without one. */
export const DEFAULT_CHECKSUM: StoredChecksum = { algorithm: "crc64nvme" };

/** The object's checksum value and type, as headers and XML show them. */
export function checksumOf(contents: ObjectContents): { value: string; type: "FULL_OBJECT" | "COMPOSITE" } {
  const { composite, algorithm } = contents.checksum;
  return composite === undefined
    ? { value: contents.body.checksum(algorithm), type: "FULL_OBJECT" }
    : { value: composite, type: "COMPOSITE" };
}

/** Whether reading the object needs a restore first. */
export function isArchived(contents: ObjectContents): boolean {
  const isInArchive =
    contents.storageClass === "GLACIER" ||
    contents.storageClass === "DEEP_ARCHIVE" ||
    contents.archiveStatus !== undefined;
  return isInArchive && contents.restore?.ongoing !== false;
}
