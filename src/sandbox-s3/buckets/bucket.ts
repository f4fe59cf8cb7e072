/** One bucket of the sandbox store: its keys with their versions, and its versioning rules. */

import {
  DEFAULT_ENCRYPTION,
  type DeleteMarker,
  type ObjectContents,
  type ObjectEncryption,
  type StoredObject,
  type StoredVersion,
} from "../objects/stored-object.ts";
import { KeyIndex, type OrderedKeys } from "./key-index.ts";

/** `Never` until versioning is first configured; it cannot come back. */
export type VersioningState = "Never" | "Enabled" | "Suspended";

/** What a delete did, as the answer tells it. */
export interface RemovalResult {
  /** A delete marker was added, or the removed version was one. */
  readonly isDeleteMarker: boolean;
  /** The version added or removed; `undefined` in an unversioned bucket. */
  readonly versionId: string | undefined;
}

const NULL_VERSION = "null";

/** A bucket; the newest version of each key is in the index, older ones hang on it. */
export class Bucket {
  readonly name: string;
  readonly createdMs: number;
  /** Where requests to it must be signed for. */
  region: string;
  /** How objects are encrypted that are written without saying so. */
  encryption: ObjectEncryption = DEFAULT_ENCRYPTION;
  /** Keys in byte order, each with its newest version. */
  readonly index: OrderedKeys<StoredVersion>;
  versioning: VersioningState = "Never";
  readonly #newVersionId: () => string;

  constructor(
    name: string,
    region: string,
    createdMs: number,
    newVersionId: () => string,
    index: OrderedKeys<StoredVersion> = new KeyIndex(),
  ) {
    this.name = name;
    this.region = region;
    this.createdMs = createdMs;
    this.index = index;
    this.#newVersionId = newVersionId;
  }

  /** The current object, or `undefined` if the key is free or deleted. */
  current(key: string): StoredObject | undefined {
    const newest = this.index.get(key);
    return newest === undefined || newest.isDeleteMarker ? undefined : newest;
  }

  /** The version with this id (`"null"` for one written without versioning). */
  version(key: string, versionId: string): StoredVersion | undefined {
    let version = this.index.get(key);
    while (version !== undefined && version.versionId !== versionId) version = version.older;
    return version;
  }

  /** Writes a new current version. */
  put(key: string, contents: ObjectContents, nowMs: number): StoredObject {
    const stored: StoredObject = {
      isDeleteMarker: false,
      versionId: this.#nextVersionId(),
      lastModifiedMs: nowMs - (nowMs % 1000),
      contents,
      tags: contents.tags,
      older: this.#keptVersions(key),
    };
    this.index.set(key, stored);
    return stored;
  }

  /** Deletes without a version id: for good, or by a delete marker. */
  remove(key: string, nowMs: number): RemovalResult {
    if (this.versioning === "Never") {
      this.index.delete(key);
      return { isDeleteMarker: false, versionId: undefined };
    }
    const marker: DeleteMarker = {
      isDeleteMarker: true,
      versionId: this.#nextVersionId(),
      lastModifiedMs: nowMs - (nowMs % 1000),
      older: this.#keptVersions(key),
    };
    this.index.set(key, marker);
    return { isDeleteMarker: true, versionId: marker.versionId };
  }

  /** Deletes one version for good; a version that does not exist counts as deleted, as on S3. */
  removeVersion(key: string, versionId: string): RemovalResult {
    const removed = this.version(key, versionId);
    if (removed !== undefined) this.#unlink(key, removed);
    return { isDeleteMarker: removed?.isDeleteMarker ?? false, versionId };
  }

  /** The header and XML form of a version id: unversioned buckets show none. */
  shownVersionId(version: StoredVersion): string | undefined {
    return this.versioning === "Never" ? undefined : version.versionId;
  }

  #nextVersionId(): string {
    return this.versioning === "Enabled" ? this.#newVersionId() : NULL_VERSION;
  }

  /** What stays behind a new version: everything, or everything but the null version it replaces. */
  #keptVersions(key: string): StoredVersion | undefined {
    if (this.versioning === "Never") return undefined;
    if (this.versioning === "Suspended") this.removeVersion(key, NULL_VERSION);
    return this.index.get(key);
  }

  #unlink(key: string, removed: StoredVersion): void {
    const newest = this.index.get(key);
    if (newest === removed) {
      if (removed.older === undefined) this.index.delete(key);
      else this.index.set(key, removed.older);
      return;
    }
    let newer = newest;
    while (newer !== undefined && newer.older !== removed) newer = newer.older;
    if (newer !== undefined) newer.older = removed.older;
  }
}
