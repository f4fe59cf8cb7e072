/**
 * Where a store keeps versions but does not compare before it deletes, a delete marker may hide a version that somebody
 * has written since the last look. Such markers are taken away again: the newer version stands as before.
 */

import {
  type DeletedObject,
  type DeleteMarkerEntry,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  type ObjectVersion,
} from "@aws-sdk/client-s3";
import { isSameVersion } from "../../../domain/verdict.ts";
import type { Deletion, ObjectFailure, WritePass } from "../../../ports/object-store.ts";
import { runParallel } from "../client/run-parallel.ts";
import type { S3Requests } from "../client/s3-requests.ts";
import { lookBeforeSending } from "../copy/last-look.ts";
import { maybeNames } from "../copy/leftover-uploads.ts";
import { bareEtag } from "../read/etag.ts";
import { S3Fault } from "../s3-errors.ts";

const LOOKS_AT_ONCE = 8;

interface Looking {
  readonly requests: S3Requests;
  readonly bucket: string;
  readonly pass: WritePass;
}

/** What a marker hides. */
interface Hidden {
  readonly object: Deletion;
  readonly markerId: string;
  readonly version: ObjectVersion;
}

/** What to say of an object that a deletion has put a marker on. */
export interface RestoredVersions {
  readonly failure: ObjectFailure;
  /** It could not be told what lies under the marker: look again. */
  readonly isUnsettled?: boolean;
}

/**
 * Looks under the markers among `deleted`, and takes away each that hides another version than the one in `asked`; gives
 * what to say of these objects, by key. Not stopped by a signal: what was deleted is to be known. Where the account may
 * not list versions nothing is found.
 */
export async function restoreNewerVersions(
  looking: Looking,
  deleted: readonly DeletedObject[],
  asked: readonly Deletion[],
): Promise<ReadonlyMap<string, RestoredVersions>> {
  const objects = new Map(asked.map((object) => [object.key, object]));
  const failures = new Map<string, RestoredVersions>();
  const markers = deleted.filter(({ DeleteMarker, DeleteMarkerVersionId }) => {
    return DeleteMarker === true && DeleteMarkerVersionId !== undefined;
  });
  await runParallel(markers, LOOKS_AT_ONCE, async ({ Key = "", DeleteMarkerVersionId: markerId = "" }) => {
    const object = objects.get(Key);
    if (object === undefined) return;
    const uncovered = await restoreNewerVersion(looking, object, markerId);
    if (uncovered !== null) failures.set(Key, uncovered);
  });
  return failures;
}

async function restoreNewerVersion(
  looking: Looking,
  object: Deletion,
  markerId: string,
): Promise<RestoredVersions | null> {
  try {
    const version = await hiddenVersion(looking, object, markerId);
    return version === null ? null : { failure: await uncover(looking, { object, markerId, version }) };
  } catch (error) {
    if (!(error instanceof S3Fault)) throw error;
    const message = `whether a newer version lies under the delete marker ${markerId} was not told (${error.reason})`;
    return { failure: { code: "source_changed", message }, isUnsettled: true };
  }
}

/**
 * For an object that is not there: the id of another version than `object` that lies under a delete marker, of this job or
 * another writer; null when there is none, or versions may not be listed.
 */
export async function versionUnderMarker(looking: Looking, object: Deletion): Promise<string | null> {
  return (await hiddenVersion(looking, object, null))?.VersionId ?? null;
}

/** The version right under the marker (null: any), when it is another one than was to be deleted. */
async function hiddenVersion(
  { requests, bucket, pass }: Looking,
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
    const { Versions = [], DeleteMarkers = [] } = await pass(0, list);
    const isOfKey = ({ Key = "" }: ObjectVersion | DeleteMarkerEntry) => maybeNames(Key, object.key);
    const isMeant = ({ VersionId }: DeleteMarkerEntry) => markerId === null || VersionId === markerId;
    const marker = DeleteMarkers.find((one) => isOfKey(one) && isMeant(one));
    const [newest] = Versions.filter(isOfKey);
    // An object that was written after the marker is not hidden.
    if (newest === undefined || marker?.IsLatest !== true) return null;
    const seen = {
      size: newest.Size ?? -1,
      etag: bareEtag(newest.ETag),
      modifiedAt: newest.LastModified?.getTime() ?? null,
    };
    return isSameVersion({ ...seen, etag: object.etag, modifiedAt: object.modifiedAt ?? null }, seen)
      ? null
      : newest;
  } catch (error) {
    if (error instanceof S3Fault && (error.kind === "denied" || error.kind === "not_implemented"))
      return null;
    throw error;
  }
}

async function uncover(
  { requests, bucket, pass }: Looking,
  { object: { key }, markerId, version }: Hidden,
): Promise<ObjectFailure> {
  const command = new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: markerId });
  lookBeforeSending(command, requests.mayWrite);
  const doing = `taking the delete marker off ${bucket}/${key}`;
  const send = () =>
    requests.send({ kind: "delete", doing }, undefined, (client, options) => client.send(command, options));
  const what = `a newer version (${version.VersionId}) was written while the source was being deleted`;
  try {
    await pass(1, send);
    return { code: "source_changed", message: `${what}; it stands again` };
  } catch (error) {
    if (!(error instanceof S3Fault)) throw error;
    const how = `${what} and lies under the delete marker ${markerId}; remove that marker (${error.reason})`;
    return { code: "source_changed", message: how };
  }
}
