/** The object store port on S3: one adapter per job over a client that all jobs on the store share. */

import {
  GetBucketEncryptionCommand,
  GetBucketVersioningCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import {
  type BucketFacts,
  type CopyRequest,
  type CopyResult,
  type DeleteResult,
  type Deletion,
  type DeletionTerms,
  type Encryption,
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
import { copied, notCopied } from "./copy-outcome.ts";
import { CopySpeeds } from "./copy-speeds.ts";
import type { CredentialWatch } from "./credential-watch.ts";
import { deleteEach } from "./delete-objects.ts";
import { versionUnderMarker } from "./hidden-versions.ts";
import { listPage } from "./listing.ts";
import type { PartSettings } from "./multipart-copy.ts";
import { readAcl } from "./object-acl.ts";
import { MAX_COPY_BYTES, ObjectCopies } from "./object-copies.ts";
import { factsOf, headObject } from "./object-facts.ts";
import { PooledCopies } from "./pooled-copies.ts";
import { readObject } from "./read-object.ts";
import { type FaultKind, S3Fault } from "./s3-errors.ts";
import { type RequestTimeouts, S3Requests } from "./s3-requests.ts";
import { allAbilities, type Conditions, type StoreAbilities } from "./store-abilities.ts";
import { withReason } from "./with-reason.ts";

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
  /** Likewise what it learns of the store's speed with large objects. */
  readonly speeds?: CopySpeeds;
  /** Objects larger than this are copied in parts whatever is faster; at most 5 GiB. */
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

/** Names reserved for aliases of access points (S3 user guide, "Bucket naming rules"). */
const ALIAS = /(-s3alias|--ol-s3|--op-s3)$/;

/** Answers to a question that a store need not answer. */
const UNTOLD: ReadonlySet<FaultKind> = new Set(["denied", "gone", "not_implemented", "refused"]);

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
      speeds: options.speeds ?? new CopySpeeds(),
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

  async bucketFacts(bucket: string, signal?: AbortSignal): Promise<BucketFacts> {
    const doing = `looking at bucket ${bucket}`;
    try {
      const look = () =>
        this.#requests.send({ kind: "head", doing }, signal, (client, options) =>
          client.send(new HeadBucketCommand({ Bucket: bucket }), options),
        );
      const { AccessPointAlias } = await withReason(look, () => this.#versioning(bucket, signal));
      const isAlias = AccessPointAlias === true || ALIAS.test(bucket);
      const [versioning, defaultEncryption] = await Promise.all([
        this.#versioning(bucket, signal),
        this.#encryption(bucket, signal),
      ]);
      return { exists: true, versioning, isAlias, defaultEncryption };
    } catch (error) {
      // HEAD has no body, so a missing bucket looks like a missing object.
      const missing = error instanceof S3Fault && (error.kind === "gone" || error.kind === "bucket_missing");
      if (missing) return { exists: false, versioning: "off", isAlias: false, defaultEncryption: null };
      throw error;
    }
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

  /** Null also for who may not ask, and for stores that do not know the question. */
  async #encryption(bucket: string, signal: AbortSignal | undefined): Promise<Encryption | null> {
    const doing = `reading the encryption of ${bucket}`;
    try {
      const output = await this.#requests.send({ kind: "other", doing }, signal, (client, options) =>
        client.send(new GetBucketEncryptionCommand({ Bucket: bucket }), options),
      );
      const rule = output.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
      if (rule?.SSEAlgorithm === undefined) return null;
      return { algorithm: rule.SSEAlgorithm, keyId: rule.KMSMasterKeyID ?? null };
    } catch (error) {
      if (error instanceof S3Fault && UNTOLD.has(error.kind)) return null;
      throw error;
    }
  }

  async #versioning(bucket: string, signal: AbortSignal | undefined): Promise<BucketFacts["versioning"]> {
    const doing = `reading the versioning of ${bucket}`;
    try {
      const output = await this.#requests.send({ kind: "other", doing }, signal, (client, options) =>
        client.send(new GetBucketVersioningCommand({ Bucket: bucket }), options),
      );
      if (output.Status === undefined) return "off";
      return output.Status === "Enabled" ? "enabled" : "suspended";
    } catch (error) {
      if (error instanceof S3Fault && error.kind === "not_implemented") return "off";
      throw error;
    }
  }
}
