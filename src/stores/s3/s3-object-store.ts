/** The object store port on S3: one adapter per job over a client that all jobs on the store share. */

import { ListBucketsCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { LimitFunction } from "p-limit";
import {
  type BucketFacts,
  type CopyRequest,
  type CopyResult,
  type DeleteResult,
  type Deletion,
  type DeletionTerms,
  freePass,
  type GuardedBy,
  type ListPage,
  type ListRequest,
  type ObjectAcl,
  type ObjectFacts,
  type ObjectStore,
  type RequestCounts,
  type WritePass,
  type WriteProtection,
} from "../../ports/object-store.ts";
import type { CredentialWatch } from "./client/credential-watch.ts";
import { type RequestTimeouts, S3Requests } from "./client/s3-requests.ts";
import { copied, notCopied } from "./copy/copy-outcome.ts";
import { type PartSettings, partSlots } from "./copy/multipart-copy.ts";
import { MAX_COPY_BYTES, ObjectCopies } from "./copy/object-copies.ts";
import { PooledCopies } from "./copy/pooled-copies.ts";
import { deleteEach } from "./delete/delete-objects.ts";
import { versionUnderMarker } from "./delete/hidden-versions.ts";
import { readBucketFacts } from "./read/bucket-facts.ts";
import { listPage } from "./read/listing.ts";
import { readAcl } from "./read/object-acl.ts";
import { factsOf, headObject } from "./read/object-facts.ts";
import { readObject } from "./read/read-object.ts";
import { S3Fault } from "./s3-errors.ts";
import { allAbilities, type Conditions, type StoreAbilities } from "./store-abilities.ts";

/** What an adapter is made of. */
export interface S3ObjectStoreOptions {
  /** Shared; see `openS3Client`. */
  readonly client: S3Client;
  /** See `endpointIdentity`. */
  readonly endpoint: string;
  /** Raised by every request this adapter sends. */
  readonly counts: RequestCounts;
  /** How single copies are sent: `pooled` (the default) or, at several times the CPU, by the SDK like all else. */
  readonly copyPath?: "pooled" | "sdk";
  /** Given by the owner of the client, so that jobs share connections; closed by him. Else the adapter has its own. */
  readonly pools?: PooledCopies;
  /** Given by the owner of the client, what one job learns of the store spares the next one the question. */
  readonly abilities?: StoreAbilities;
  /** Given by the owner of the client, whose credentials all jobs share. */
  readonly credentials?: CredentialWatch;
  readonly timeouts?: Partial<RequestTimeouts>;
  /** Shared by all jobs on the store; see `partSlots`. */
  readonly partSlots?: LimitFunction;
  /** Objects larger than this are always copied in parts; at most 5 GiB. */
  readonly multipartCopyBytes?: number;
  readonly parts?: Partial<PartSettings>;
  /**
   * Copies objects that were uploaded in parts in the same parts, so that their ETag survives and proves the copy;
   * on AWS `CopyObject` gives them another one. Costs some ten requests each instead of one.
   */
  readonly keepMultipartEtags?: boolean;
  /** Asked at the last moment before a copy or a deletion is sent. */
  readonly mayWrite?: (() => boolean) | undefined;
}

function guardedBy(conditions: Conditions): GuardedBy {
  if (conditions === "unknown") return "unknown";
  return conditions === "kept" ? "store" : "look";
}

/** Where an object is. */
interface Place {
  readonly bucket: string;
  readonly key: string;
}

/** {@link ObjectStore} on S3 and stores that speak its protocol. */
export class S3ObjectStore implements ObjectStore {
  readonly endpoint: string;
  readonly #requests: S3Requests;
  readonly #copies: ObjectCopies;
  readonly #abilities: StoreAbilities;

  constructor(options: S3ObjectStoreOptions) {
    const timeouts = { requestMs: 60_000, copyMs: 600_000, ...options.timeouts };
    this.endpoint = options.endpoint;
    const { client, counts, credentials, mayWrite } = options;
    this.#requests = new S3Requests(client, counts, timeouts, credentials, mayWrite);
    // Without an owner nobody closes them: idle connections close by themselves and keep no process alive.
    this.#abilities = options.abilities ?? allAbilities();
    const pools = options.pools ?? new PooledCopies(options.client);
    this.#copies = new ObjectCopies({
      requests: this.#requests,
      pools: options.copyPath === "sdk" ? null : pools,
      abilities: this.#abilities,
      partSlots: options.partSlots ?? partSlots(),
      parts: { partBytes: null, partConcurrency: 32, ...options.parts },
      multipartCopyBytes: Math.min(options.multipartCopyBytes ?? MAX_COPY_BYTES, MAX_COPY_BYTES),
      keepMultipartEtags: options.keepMultipartEtags ?? false,
    });
  }

  list(request: ListRequest, signal?: AbortSignal): Promise<ListPage> {
    return listPage(this.#requests, request, signal);
  }

  async head(
    at: Place,
    options: { readonly checksums?: boolean } = {},
    signal?: AbortSignal,
  ): Promise<ObjectFacts | null> {
    const checksums = options.checksums === true ? ({ ChecksumMode: "ENABLED" } as const) : {};
    try {
      const head = await headObject(this.#requests, { Bucket: at.bucket, Key: at.key, ...checksums }, signal);
      return factsOf(at.key, head);
    } catch (error) {
      if (error instanceof S3Fault && error.kind === "gone") return null;
      throw error;
    }
  }

  copy(request: CopyRequest, signal?: AbortSignal, pass: WritePass = freePass): Promise<CopyResult> {
    return this.#copies.copy(request, signal, pass).then(copied, notCopied);
  }

  finishCopy(
    request: CopyRequest,
    targetEtag: string,
    signal?: AbortSignal,
    pass: WritePass = freePass,
  ): Promise<CopyResult> {
    return this.#copies.finish(request, targetEtag, signal, pass).then(copied, notCopied);
  }

  deleteObjects(
    bucket: string,
    objects: readonly Deletion[],
    signal?: AbortSignal,
    { pass = freePass, mayBegin = () => true }: DeletionTerms = {},
  ): Promise<readonly DeleteResult[]> {
    const requests = this.#requests;
    const means = { requests, abilities: this.#abilities, bucket, signal, pass };
    return deleteEach({ ...means, mayBegin: () => requests.mayWrite() && mayBegin() }, objects);
  }

  hiddenVersion(bucket: string, object: Deletion): Promise<string | null> {
    return versionUnderMarker({ requests: this.#requests, bucket, pass: freePass }, object);
  }

  protection(): WriteProtection {
    const { copyConditions, deleteConditions, copyGap } = this.#abilities;
    return {
      copies: guardedBy(copyConditions),
      deletions: guardedBy(deleteConditions),
      copyGapMs: copyGap.medianMs,
    };
  }

  read(at: Place, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return readObject(this.#requests, at, signal);
  }

  async write(at: Place, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    const doing = `writing ${at.bucket}/${at.key}`;
    await this.#requests.send({ kind: "other", doing }, signal, (client, options) =>
      client.send(new PutObjectCommand({ Bucket: at.bucket, Key: at.key, Body: body }), options),
    );
  }

  acl(at: Place, signal?: AbortSignal): Promise<ObjectAcl> {
    return readAcl(this.#requests, at, signal);
  }

  bucketFacts(bucket: string, signal?: AbortSignal): Promise<BucketFacts> {
    return readBucketFacts(this.#requests, bucket, signal);
  }

  async ping(signal?: AbortSignal): Promise<void> {
    const doing = "listing the buckets";
    try {
      await this.#requests.send({ kind: "other", doing }, signal, (client, options) =>
        client.send(new ListBucketsCommand({}), options),
      );
    } catch (error) {
      // Who may not list all buckets has been recognised all the same.
      if (!(error instanceof S3Fault) || error.vendorCode !== "AccessDenied") throw error;
    }
  }
}
