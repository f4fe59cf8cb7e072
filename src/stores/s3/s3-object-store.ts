/** The object store port on S3: one adapter per job run, over a client that all jobs on the store share. */

import { ListBucketsCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { LimitFunction } from "p-limit";
import {
  type BucketFacts,
  type CopyRequest,
  type CopyResult,
  type DeleteResult,
  type Deletion,
  type DeletionTerms,
  type GuardedBy,
  type ListPage,
  type ListRequest,
  type ObjectAcl,
  type ObjectFacts,
  type ObjectStore,
  type RequestCounts,
  unlimitedWrites,
  type WriteLimiter,
  type WriteProtection,
} from "../../ports/object-store.ts";
import type { CredentialWatch } from "./client/credential-watch.ts";
import { type RequestTimeouts, S3Requests } from "./client/s3-requests.ts";
import { copied, notCopied } from "./copy/copy-result.ts";
import { type PartSettings, partSlots } from "./copy/multipart-copy.ts";
import { MAX_COPY_BYTES, ObjectCopier } from "./copy/object-copier.ts";
import { PooledCopies } from "./copy/pooled-copies.ts";
import { deleteEach } from "./delete/delete-objects.ts";
import { versionUnderMarker } from "./delete/hidden-versions.ts";
import { readBucketFacts } from "./read/bucket-facts.ts";
import { listPage } from "./read/listing.ts";
import { fetchAcl } from "./read/object-acl.ts";
import { headIfPresent, objectFactsOf } from "./read/object-facts.ts";
import { readObject } from "./read/read-object.ts";
import { S3Fault } from "./s3-errors.ts";
import { type ConditionSupport, fullCapabilities, type StoreCapabilities } from "./store-capabilities.ts";

export interface S3ObjectStoreOptions {
  /** Shared; see `openS3Client`. */
  readonly client: S3Client;
  /** See `endpointIdentity`. */
  readonly endpoint: string;
  /** Incremented by every request this adapter sends. */
  readonly counts: RequestCounts;
  /** How single copies are sent: `pooled` (the default), or by the SDK at about ten times the CPU. */
  readonly copyPath?: "pooled" | "sdk";
  /** Shared by all jobs on the store and closed by the owner of the client; else the adapter has pools of its own. */
  readonly pools?: PooledCopies;
  /** Shared by all jobs on the store, so that each condition is probed once. */
  readonly capabilities?: StoreCapabilities;
  /** Shared by all jobs on the store, like the client's credentials. */
  readonly credentials?: CredentialWatch;
  readonly timeouts?: Partial<RequestTimeouts>;
  /** Shared by all jobs on the store; see `partSlots`. */
  readonly partSlots?: LimitFunction;
  /** Objects larger than this are always copied in parts; at most 5 GiB. */
  readonly multipartCopyBytes?: number;
  readonly parts?: Partial<PartSettings>;
  /**
   * Copies objects that were uploaded in parts in the same parts, so that the ETag is kept and proves the copy; on AWS
   * `CopyObject` gives them another one. Costs some ten requests each instead of one.
   */
  readonly keepMultipartEtags?: boolean;
  /** Called right before a copy or a deletion is sent; false: it must not be. */
  readonly mayWrite?: (() => boolean) | undefined;
}

function guardedBy(support: ConditionSupport): GuardedBy {
  if (support === "unknown") return "unknown";
  return support === "enforced" ? "store" : "look";
}

/** Where an object is. */
interface ObjectAddress {
  readonly bucket: string;
  readonly key: string;
}

/** {@link ObjectStore} on S3 and stores that speak its protocol. */
export class S3ObjectStore implements ObjectStore {
  readonly endpoint: string;
  readonly #requests: S3Requests;
  readonly #copier: ObjectCopier;
  readonly #capabilities: StoreCapabilities;

  constructor(options: S3ObjectStoreOptions) {
    const timeouts = { requestMs: 60_000, copyMs: 600_000, ...options.timeouts };
    this.endpoint = options.endpoint;
    const { client, counts, credentials, mayWrite } = options;
    this.#requests = new S3Requests(client, counts, timeouts, credentials, mayWrite);
    this.#capabilities = options.capabilities ?? fullCapabilities();
    // Pools of its own need not be closed: idle connections close by themselves and do not keep the process alive.
    const pools = options.pools ?? new PooledCopies(client);
    this.#copier = new ObjectCopier({
      requests: this.#requests,
      pools: options.copyPath === "sdk" ? null : pools,
      capabilities: this.#capabilities,
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
    at: ObjectAddress,
    options: { readonly checksums?: boolean } = {},
    signal?: AbortSignal,
  ): Promise<ObjectFacts | null> {
    const checksums = options.checksums === true ? ({ ChecksumMode: "ENABLED" } as const) : {};
    const input = { Bucket: at.bucket, Key: at.key, ...checksums };
    const head = await headIfPresent(this.#requests, input, signal);
    return head && objectFactsOf(at.key, head);
  }

  copy(
    request: CopyRequest,
    signal?: AbortSignal,
    limiter: WriteLimiter = unlimitedWrites,
  ): Promise<CopyResult> {
    const replaces = request.replacing !== undefined;
    return this.#copier
      .copy(request, signal, limiter)
      .then(copied, (fault: unknown) => notCopied(fault, replaces));
  }

  finishCopy(
    request: CopyRequest,
    targetEtag: string,
    signal?: AbortSignal,
    limiter: WriteLimiter = unlimitedWrites,
  ): Promise<CopyResult> {
    return this.#copier
      .finish(request, targetEtag, signal, limiter)
      .then(copied, (fault: unknown) => notCopied(fault));
  }

  deleteObjects(
    bucket: string,
    objects: readonly Deletion[],
    signal?: AbortSignal,
    { limiter = unlimitedWrites, mayBegin = () => true }: DeletionTerms = {},
  ): Promise<readonly DeleteResult[]> {
    const requests = this.#requests;
    const dependencies = { requests, capabilities: this.#capabilities, bucket, signal, limiter };
    return deleteEach({ ...dependencies, mayBegin: () => requests.mayWrite() && mayBegin() }, objects);
  }

  hiddenVersion(bucket: string, object: Deletion): Promise<string | null> {
    return versionUnderMarker({ requests: this.#requests, bucket, limiter: unlimitedWrites }, object);
  }

  protection(): WriteProtection {
    const { copyConditions, deleteConditions, copyGap } = this.#capabilities;
    return {
      copies: guardedBy(copyConditions),
      deletions: guardedBy(deleteConditions),
      copyGapMs: copyGap.medianMs,
    };
  }

  read(at: ObjectAddress, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return readObject(this.#requests, at, signal);
  }

  async write(at: ObjectAddress, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    const doing = `writing ${at.bucket}/${at.key}`;
    await this.#requests.send({ kind: "other", doing }, signal, (client, options) =>
      client.send(new PutObjectCommand({ Bucket: at.bucket, Key: at.key, Body: body }), options),
    );
  }

  acl(at: ObjectAddress, signal?: AbortSignal): Promise<ObjectAcl> {
    return fetchAcl(this.#requests, at, signal);
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
      // An account without the right to list all buckets has been authenticated.
      if (!(error instanceof S3Fault) || error.vendorCode !== "AccessDenied") throw error;
    }
  }
}
