/** Copies one object in the way that its size and origin call for: in one request, or in parts. */

import type { LimitFunction } from "p-limit";
import type { CopyRequest, WriteLimiter } from "../../../ports/object-store.ts";
import type { S3Requests } from "../client/s3-requests.ts";
import { partsInEtag } from "../read/etag.ts";
import { hasKind } from "../s3-errors.ts";
import type { StoreCapabilities } from "../store-capabilities.ts";
import { restoreTags } from "./completed-copy.ts";
import { multipartCopy, type PartSettings } from "./multipart-copy.ts";
import { MIN_PART_BYTES } from "./part-plan.ts";
import type { PooledCopies } from "./pooled-copies.ts";
import { singleCopy } from "./single-copy.ts";
import {
  fetchTags,
  isVerifiableInParts,
  readSourceMetadata,
  type SourceMetadata,
} from "./source-metadata.ts";

const MIB = 1024 ** 2;

/** The largest object `CopyObject` takes (S3 API reference, "CopyObject"). */
export const MAX_COPY_BYTES = 5 * 1024 * MIB;
/**
 * From this size on a copy that can be verified goes in parts. AWS copies 80–100 MB/s in one request: 256 MiB take 3 s,
 * and 16 parts at once 0.2 s; below, parts save less than they cost in requests (docs/decisions/0014-large-objects.md).
 */
const LARGE_BYTES = 256 * MIB;

/** What copies are made with. */
export interface CopyDependencies {
  readonly requests: S3Requests;
  /** Null: single copies are sent by the SDK. */
  readonly pools: PooledCopies | null;
  readonly capabilities: StoreCapabilities;
  /** Shared by all jobs on the store; see `partSlots`. */
  readonly partSlots: LimitFunction;
  readonly parts: PartSettings;
  /** Objects larger than this always go in parts. */
  readonly multipartCopyBytes: number;
  /** See `S3ObjectStoreOptions.keepMultipartEtags`. */
  readonly keepMultipartEtags: boolean;
}

/** Makes the copies of one job. */
export class ObjectCopier {
  readonly #dependencies: CopyDependencies;

  constructor(dependencies: CopyDependencies) {
    this.#dependencies = dependencies;
  }

  /** Gives the new object's ETag; throws `S3Fault`. */
  copy(request: CopyRequest, signal: AbortSignal | undefined, limiter: WriteLimiter): Promise<string> {
    const { source } = request;
    if (this.#mustGoInParts(source)) return this.#inParts(request, null, signal, limiter);
    if (source.size < LARGE_BYTES) return this.#inOneRequest(request, signal, limiter);
    return this.#largeCopy(request, signal, limiter);
  }

  /** See `ObjectStore.finishCopy`. Gives the target's ETag. */
  async finish(
    request: CopyRequest,
    targetEtag: string,
    signal: AbortSignal | undefined,
    limiter: WriteLimiter,
  ): Promise<string> {
    const { source, target } = request;
    const { requests } = this.#dependencies;
    if (source.size < LARGE_BYTES && !this.#mustGoInParts(source)) return targetEtag;
    const tags = await this.#readableTags(source, signal);
    if (tags.length > 0) await restoreTags(requests, { target, etag: targetEtag, tags }, limiter);
    return targetEtag;
  }

  #mustGoInParts({ size, etag }: CopyRequest["source"]): boolean {
    const { multipartCopyBytes, keepMultipartEtags } = this.#dependencies;
    if (size > multipartCopyBytes) return true;
    return keepMultipartEtags && size >= MIN_PART_BYTES && partsInEtag(etag) !== null;
  }

  async #largeCopy(
    request: CopyRequest,
    signal: AbortSignal | undefined,
    limiter: WriteLimiter,
  ): Promise<string> {
    const metadata = await this.#verifiableMetadata(request.source, signal);
    if (metadata === null) return this.#inOneRequest(request, signal, limiter);
    return this.#inParts(request, metadata, signal, limiter);
  }

  /**
   * Null when a copy in parts could not be verified or could not keep all metadata. Also null when HEAD is refused: the
   * answer to a copy in one request then states the reason.
   */
  async #verifiableMetadata(
    source: CopyRequest["source"],
    signal: AbortSignal | undefined,
  ): Promise<SourceMetadata | null> {
    try {
      const metadata = await readSourceMetadata(this.#dependencies.requests, source, signal);
      return isVerifiableInParts(metadata, source.etag) ? metadata : null;
    } catch (error) {
      if (hasKind(error, "refused", "denied")) return null;
      throw error;
    }
  }

  /** None where they cannot be read: a copy in parts, which reads them first, was not begun then. */
  async #readableTags(source: CopyRequest["source"], signal: AbortSignal | undefined) {
    try {
      return await fetchTags(this.#dependencies.requests, source, signal);
    } catch (error) {
      if (hasKind(error, "gone", "refused", "denied")) return [];
      throw error;
    }
  }

  #inOneRequest(
    request: CopyRequest,
    signal: AbortSignal | undefined,
    limiter: WriteLimiter,
  ): Promise<string> {
    const { requests, pools, capabilities } = this.#dependencies;
    return singleCopy({ requests, capabilities, request, signal, limiter }, pools);
  }

  async #inParts(
    request: CopyRequest,
    known: SourceMetadata | null,
    signal: AbortSignal | undefined,
    limiter: WriteLimiter,
  ): Promise<string> {
    const { requests, parts, capabilities, partSlots: slots } = this.#dependencies;
    const source = known ?? (await readSourceMetadata(requests, request.source, signal));
    return multipartCopy({ requests, request, capabilities, signal, limiter, source, slots }, parts);
  }
}
