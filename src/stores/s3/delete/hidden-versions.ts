/**
 * On a store that keeps versions but does not enforce the ETag of a deletion, a delete marker may hide a version written
 * since the object was last read. Such markers are removed, which makes the newer version current again.
 */

import {
  type DeletedObject,
  type DeleteMarkerEntry,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  type ObjectVersion,
} from "@aws-sdk/client-s3";
import { isSameVersion } from "../../../domain/verdict.ts";
import type { Deletion, ObjectFailure, WriteLimiter } from "../../../ports/object-store.ts";
import { runParallel } from "../client/run-parallel.ts";
import type { S3Requests } from "../client/s3-requests.ts";
import { guardSend } from "../client/send-guard.ts";
import { mayBeKey } from "../copy/incomplete-uploads.ts";
import { bareEtag } from "../read/etag.ts";
import { hasKind, S3Fault } from "../s3-errors.ts";

/** Markers looked under at once. */
const CONCURRENCY = 8;

/** What versions of a bucket are read and restored with. */
interface VersionAccess {
  readonly requests: S3Requests;
  readonly bucket: string;
  readonly limiter: WriteLimiter;
}

/** A version under a delete marker that is not the one that was to be deleted. */
interface HiddenVersion {
  readonly object: Deletion;
  readonly markerId: string;
  readonly version: ObjectVersion;
}

/** The outcome of a deletion whose marker hides another version, or may hide one. */
export interface HiddenVersionFailure {
  readonly failure: ObjectFailure;
  /** What lies under the marker could not be read: the caller has to check. */
  readonly isUnsettled?: boolean;
}

/**
 * Reads the versions under the markers among `deleted` and removes each marker that hides another version than `asked`
 * names; gives the outcomes of these objects by key. Not stopped by a signal, as the outcome of every deletion is needed.
 * Gives none where the account may not list versions.
 */
export async function restoreNewerVersions(
  access: VersionAccess,
  deleted: readonly DeletedObject[],
  asked: readonly Deletion[],
): Promise<ReadonlyMap<string, HiddenVersionFailure>> {
  const objects = new Map(asked.map((object) => [object.key, object]));
  const failures = new Map<string, HiddenVersionFailure>();
  const markers = deleted.filter(({ DeleteMarker, DeleteMarkerVersionId }) => {
    return DeleteMarker === true && DeleteMarkerVersionId !== undefined;
  });
  await runParallel(markers, CONCURRENCY, async ({ Key = "", DeleteMarkerVersionId: markerId = "" }) => {
    const object = objects.get(Key);
    if (object === undefined) return;
    const failure = await restoreNewerVersion(access, object, markerId);
    if (failure !== null) failures.set(Key, failure);
  });
  return failures;
}

async function restoreNewerVersion(
  access: VersionAccess,
  object: Deletion,
  markerId: string,
): Promise<HiddenVersionFailure | null> {
  try {
    const version = await hiddenVersion(access, object, markerId);
    return version === null ? null : { failure: await removeMarker(access, { object, markerId, version }) };
  } catch (error) {
    if (!(error instanceof S3Fault)) throw error;
    const message = `whether a newer version lies under the delete marker ${markerId} was not told (${error.reason})`;
    return { failure: { code: "source_changed", message }, isUnsettled: true };
  }
}

/**
 * For an object that does not exist: the id of another version than `object` under a delete marker of any origin; null
 * when there is none, or versions may not be listed.
 */
export async function versionUnderMarker(access: VersionAccess, object: Deletion): Promise<string | null> {
  return (await hiddenVersion(access, object, null))?.VersionId ?? null;
}

/** The version right under the marker (null: any), when it is another one than was to be deleted. */
async function hiddenVersion(
  { requests, bucket, limiter }: VersionAccess,
  object: Deletion,
  markerId: string | null,
): Promise<ObjectVersion | null> {
  const input = { Bucket: bucket, Prefix: object.key, EncodingType: "url", MaxKeys: 10 } as const;
  const doing = `looking for a newer version of ${bucket}/${object.key}`;
  const list = () =>
    requests.send({ kind: "list", doing }, undefined, (client, options) =>
      client.send(new ListObjectVersionsCommand(input), options),
    );
  try {
    const { Versions = [], DeleteMarkers = [] } = await limiter(0, list);
    const isOfKey = ({ Key = "" }: ObjectVersion | DeleteMarkerEntry) => mayBeKey(Key, object.key);
    const isMeant = ({ VersionId }: DeleteMarkerEntry) => markerId === null || VersionId === markerId;
    const marker = DeleteMarkers.find((one) => isOfKey(one) && isMeant(one));
    const [newest] = Versions.filter(isOfKey);
    // An object written after the marker is current, not hidden.
    if (newest === undefined || marker?.IsLatest !== true) return null;
    const found = {
      size: newest.Size ?? -1,
      etag: bareEtag(newest.ETag),
      modifiedAt: newest.LastModified?.getTime() ?? null,
    };
    const expected = { ...found, etag: object.etag, modifiedAt: object.modifiedAt ?? null };
    return isSameVersion(expected, found) ? null : newest;
  } catch (error) {
    if (hasKind(error, "denied", "not_implemented")) return null;
    throw error;
  }
}

async function removeMarker(
  { requests, bucket, limiter }: VersionAccess,
  { object: { key }, markerId, version }: HiddenVersion,
): Promise<ObjectFailure> {
  const command = new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: markerId });
  guardSend(command, requests.mayWrite);
  const doing = `taking the delete marker off ${bucket}/${key}`;
  const send = () =>
    requests.send({ kind: "delete", doing }, undefined, (client, options) => client.send(command, options));
  const what = `a newer version (${version.VersionId}) was written while the source was being deleted`;
  try {
    await limiter(1, send);
    return { code: "source_changed", message: `${what}; it stands again` };
  } catch (error) {
    if (!(error instanceof S3Fault)) throw error;
    const how = `${what} and lies under the delete marker ${markerId}; remove that marker (${error.reason})`;
    return { code: "source_changed", message: how };
  }
}
