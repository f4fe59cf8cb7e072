/** Copies one object in the way its size and provenance call for: one `CopyObject`, or `UploadPartCopy` in parts. */

import type { LimitFunction } from "p-limit";
import type { CopyRequest, WritePass } from "../../../ports/object-store.ts";
import type { S3Requests } from "../client/s3-requests.ts";
import { partsInEtag } from "../read/etag.ts";
import { S3Fault } from "../s3-errors.ts";
import type { StoreAbilities } from "../store-abilities.ts";
import { multipartCopy, type PartSettings } from "./multipart-copy.ts";
import { MIN_PART_BYTES } from "./part-plan.ts";
import type { PooledCopies } from "./pooled-copies.ts";
import { restoreTags } from "./settle-target.ts";
import { singleCopy } from "./single-copy.ts";
import { isProvableInParts, readSourceTraits, readTags, type SourceTraits } from "./source-traits.ts";

const MIB = 1024 ** 2;

/** The largest object `CopyObject` takes (S3 API reference, "CopyObject"). */
export const MAX_COPY_BYTES = 5 * 1024 * MIB;
/**
 * From this size on a copy that can be verified goes in parts. AWS copies 80–100 MB/s in one request, so 256 MiB take
 * about 3 s there, and 16 parts at once 0.2 s; below, the requests for parts cost more than they save
 * (docs/decisions/0014-large-objects.md).
 */
export const LARGE_BYTES = 256 * MIB;

/** What copies are made with. */
export interface CopyDependencies {
  readonly requests: S3Requests;
  /** Null: single copies go by the SDK. */
  readonly pools: PooledCopies | null;
  readonly abilities: StoreAbilities;
  /** Shared by all jobs on the store: each part of each object takes a slot. */
  readonly partSlots: LimitFunction;
  readonly parts: PartSettings;
  /** Objects larger than this always go in parts. */
  readonly multipartCopyBytes: number;
  /** See `S3ObjectStoreOptions.keepMultipartEtags`. */
  readonly keepMultipartEtags: boolean;
}

/** A job's copies. */
export class ObjectCopies {
  readonly #dependencies: CopyDependencies;

  constructor(dependencies: CopyDependencies) {
    this.#dependencies = dependencies;
  }

  /** Gives the new object's ETag; throws {@link S3Fault}. */
  copy(request: CopyRequest, signal: AbortSignal | undefined, pass: WritePass): Promise<string> {
    const { source } = request;
    if (this.#mustGoInParts(source)) return this.#inParts(request, null, signal, pass);
    if (source.size < LARGE_BYTES) return this.#single(request, signal, pass);
    return this.#largeCopy(request, signal, pass);
  }

  /** See `ObjectStore.finishCopy`. Gives the target's ETag. */
  async finish(
    request: CopyRequest,
    targetEtag: string,
    signal: AbortSignal | undefined,
    pass: WritePass,
  ): Promise<string> {
    const { source, target } = request;
    const { requests } = this.#dependencies;
    if (source.size < LARGE_BYTES && !this.#mustGoInParts(source)) return targetEtag;
    const tags = await this.#readableTags(source, signal);
    if (tags.length > 0) await restoreTags(requests, { target, etag: targetEtag, tags }, pass);
    return targetEtag;
  }

  async #largeCopy(request: CopyRequest, signal: AbortSignal | undefined, pass: WritePass): Promise<string> {
    const traits = await this.#provableTraits(request.source, signal);
    return traits === null
      ? this.#single(request, signal, pass)
      : this.#inParts(request, traits, signal, pass);
  }

  #mustGoInParts({ size, etag }: CopyRequest["source"]): boolean {
    const { multipartCopyBytes, keepMultipartEtags } = this.#dependencies;
    if (size > multipartCopyBytes) return true;
    return keepMultipartEtags && size >= MIN_PART_BYTES && partsInEtag(etag) !== null;
  }

  /**
   * Null when a copy in parts could not be verified, or could not keep all of the object. What HEAD is refused for goes
   * in one request too: the answer to that says what is wrong.
   */
  async #provableTraits(
    source: CopyRequest["source"],
    signal: AbortSignal | undefined,
  ): Promise<SourceTraits | null> {
    try {
      const traits = await readSourceTraits(this.#dependencies.requests, source, signal);
      return isProvableInParts(traits, source.etag) ? traits : null;
    } catch (error) {
      if (error instanceof S3Fault && (error.kind === "refused" || error.kind === "denied")) return null;
      throw error;
    }
  }

  /** None where they cannot be read: a copy in parts, which reads them first, was not begun then. */
  async #readableTags(source: CopyRequest["source"], signal: AbortSignal | undefined) {
    try {
      return await readTags(this.#dependencies.requests, source, signal);
    } catch (error) {
      const isUntold = error instanceof S3Fault && ["gone", "refused", "denied"].includes(error.kind);
      if (!isUntold) throw error;
      return [];
    }
  }

  #single(request: CopyRequest, signal: AbortSignal | undefined, pass: WritePass): Promise<string> {
    const { requests, pools, abilities } = this.#dependencies;
    return singleCopy({ requests, abilities, request, signal, pass }, pools);
  }

  async #inParts(
    request: CopyRequest,
    known: SourceTraits | null,
    signal: AbortSignal | undefined,
    pass: WritePass,
  ): Promise<string> {
    const { requests, parts, abilities, partSlots } = this.#dependencies;
    const traits = known ?? (await readSourceTraits(requests, request.source, signal));
    return multipartCopy({ requests, request, abilities, signal, pass, traits, slots: partSlots }, parts);
  }
}
