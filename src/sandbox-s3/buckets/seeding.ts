/** Puts objects into a store, and reads them, without HTTP: for seeding and for independent checks. */

import { combineEtags } from "../objects/complete-multipart-upload.ts";
import { BytesBody, type ObjectBody, PatternBody } from "../objects/object-body.ts";
import { singlePartEtag } from "../objects/put-object.ts";
import {
  type ArchiveStatus,
  type CannedAcl,
  DEFAULT_CHECKSUM,
  DEFAULT_ENCRYPTION,
  type ObjectAttributes,
  type ObjectContents,
  type ObjectEncryption,
  type ObjectTag,
  type PartSummary,
  PLAIN_ATTRIBUTES,
  type RestoreState,
  type StoredChecksum,
  type StoredObject,
} from "../objects/stored-object.ts";

/** Contents to seed: bytes (kept by reference: do not change them later), or a generated pattern of any size. */
export type SeedBody = string | Uint8Array | { readonly size: number; readonly seed?: number };

/** What a seeded object has besides its bytes. Pass one object for many keys: it is then read only once. */
export interface SeedOptions {
  readonly contentType?: string;
  readonly cacheControl?: string;
  readonly contentDisposition?: string;
  readonly contentEncoding?: string;
  readonly contentLanguage?: string;
  readonly expires?: string;
  /** Names without `x-amz-meta-`. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
  readonly storageClass?: string;
  readonly websiteRedirectLocation?: string;
  /** `AES256` (default), `aws:kms`, … */
  readonly serverSideEncryption?: string;
  readonly kmsKeyId?: string;
  readonly bucketKey?: boolean;
  /** As if uploaded with this checksum; CRC-64/NVME over the whole object unless given. */
  readonly checksum?: StoredChecksum;
  readonly archiveStatus?: ArchiveStatus;
  /** Private unless given. */
  readonly acl?: CannedAcl;
  readonly restore?: RestoreState;
  readonly lastModified?: Date;
  /** As if uploaded in parts of this size: the ETag gets its `-N`, and HEAD knows the parts. */
  readonly partBytes?: number;
}

/** An object as a check sees it. */
export interface ObjectView {
  readonly key: string;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  readonly versionId: string;
  readonly lastModified: Date;
  readonly contentType: string;
  readonly attributes: ObjectAttributes;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly storageClass: string;
  readonly serverSideEncryption: string;
  readonly websiteRedirectLocation: string | undefined;
  /** The bytes from `start` up to, but without, `end`; by default all of them. */
  read(start?: number, end?: number): Buffer;
}

/** Makes seeded contents; remembers what it made of each buffer and each options object. */
export class SeedContents {
  readonly #bodies = new WeakMap<Uint8Array, ObjectBody>();
  readonly #options = new WeakMap<SeedOptions, Omit<ObjectContents, "body" | "etag">>();
  /** Millions of objects with one body and one set of options share one record. */
  #last: { readonly options: SeedOptions; readonly contents: ObjectContents } | undefined;

  make(seed: SeedBody, options: SeedOptions = NO_OPTIONS): ObjectContents {
    const body = this.#body(seed);
    const last = this.#last;
    if (last !== undefined && last.options === options && last.contents.body === body) return last.contents;
    const contents = this.#make(body, options);
    this.#last = { options, contents };
    return contents;
  }

  #make(body: ObjectBody, options: SeedOptions): ObjectContents {
    let shared = this.#options.get(options);
    if (shared === undefined) {
      shared = sharedContents(options);
      this.#options.set(options, shared);
    }
    const { partBytes } = options;
    if (partBytes === undefined) return { body, etag: singlePartEtag(body, shared.encryption), ...shared };
    const pieces = cutBody(body, partBytes);
    const parts = pieces.map((piece, at): PartSummary => ({ number: at + 1, size: piece.size }));
    const combined = combineEtags(pieces.map((piece) => ({ etag: piece.md5() })));
    return { body, etag: `${combined}-${parts.length}`, ...shared, parts };
  }

  #body(seed: SeedBody): ObjectBody {
    if (typeof seed === "string") return new BytesBody(Buffer.from(seed));
    if (!(seed instanceof Uint8Array)) return new PatternBody(seed.size, seed.seed ?? 0);
    let body = this.#bodies.get(seed);
    if (body === undefined) {
      body = new BytesBody(Buffer.from(seed.buffer, seed.byteOffset, seed.byteLength));
      this.#bodies.set(seed, body);
    }
    return body;
  }
}

/** What a check sees of a stored object. */
export function viewObject(key: string, object: StoredObject): ObjectView {
  const { contents } = object;
  return {
    key,
    size: contents.body.size,
    etag: contents.etag,
    versionId: object.versionId,
    lastModified: new Date(object.lastModifiedMs),
    contentType: contents.attributes.contentType,
    attributes: contents.attributes,
    metadata: contents.attributes.metadata,
    tags: Object.fromEntries(object.tags.map((tag) => [tag.key, tag.value])),
    storageClass: contents.storageClass,
    serverSideEncryption: contents.encryption.algorithm,
    websiteRedirectLocation: contents.websiteRedirectLocation,
    read: (start = 0, end = contents.body.size) => contents.body.read(start, end),
  };
}

const NO_OPTIONS: SeedOptions = {};

function sharedContents(options: SeedOptions): Omit<ObjectContents, "body" | "etag"> {
  const tags: ObjectTag[] = Object.entries(options.tags ?? {}).map(([key, value]) => ({ key, value }));
  return {
    attributes: seededAttributes(options),
    storageClass: options.storageClass ?? "STANDARD",
    encryption: seededEncryption(options),
    checksum: options.checksum ?? DEFAULT_CHECKSUM,
    tags,
    websiteRedirectLocation: options.websiteRedirectLocation,
    parts: undefined,
    restore: options.restore,
    archiveStatus: options.archiveStatus,
    acl: options.acl,
  };
}

function seededEncryption({ serverSideEncryption, kmsKeyId, bucketKey }: SeedOptions): ObjectEncryption {
  if (serverSideEncryption === undefined) return DEFAULT_ENCRYPTION;
  return {
    algorithm: serverSideEncryption,
    ...(kmsKeyId !== undefined && { kmsKeyId }),
    ...(bucketKey === true && { bucketKey }),
  };
}

function seededAttributes(options: SeedOptions): ObjectAttributes {
  const { contentType, cacheControl, contentDisposition, contentEncoding, contentLanguage, expires } =
    options;
  const metadata = Object.entries(options.metadata ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    contentType: contentType ?? PLAIN_ATTRIBUTES.contentType,
    ...(cacheControl !== undefined && { cacheControl }),
    ...(contentDisposition !== undefined && { contentDisposition }),
    ...(contentEncoding !== undefined && { contentEncoding }),
    ...(contentLanguage !== undefined && { contentLanguage }),
    ...(expires !== undefined && { expires }),
    metadata: Object.fromEntries(metadata),
  };
}

function cutBody(body: ObjectBody, partBytes: number): ObjectBody[] {
  const pieces: ObjectBody[] = [];
  for (let at = 0; at < body.size; at += partBytes)
    pieces.push(body.slice(at, Math.min(at + partBytes, body.size)));
  return pieces;
}
