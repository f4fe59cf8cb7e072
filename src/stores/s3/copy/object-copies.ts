/** Copies each object in the way that suits it: in one request, or in parts. */

import type { CopyRequest, WritePass } from "../../../ports/object-store.ts";
import type { S3Requests } from "../client/s3-requests.ts";
import { partsInEtag } from "../read/etag.ts";
import { S3Fault } from "../s3-errors.ts";
import type { StoreAbilities } from "../store-abilities.ts";
import { type CopySpeeds, TELLING_BYTES } from "./copy-speeds.ts";
import { multipartCopy, type PartSettings } from "./multipart-copy.ts";
import { MIN_PART_BYTES } from "./part-plan.ts";
import type { PooledCopies } from "./pooled-copies.ts";
import { restoreTags } from "./settle-target.ts";
import { singleCopy } from "./single-copy.ts";
import { isProvableInParts, readSourceTraits, readTags, type SourceTraits } from "./source-traits.ts";
import { WorkTime } from "./work-time.ts";

const MIB = 1024 ** 2;

/** The largest object `CopyObject` takes (S3 API reference, "CopyObject"). */
export const MAX_COPY_BYTES = 5 * 1024 * MIB;
/** From here on it is asked whether parts are faster. */
const LARGE_BYTES = 256 * MIB;

/** What copies are made with. */
export interface CopyDependencies {
  readonly requests: S3Requests;
  /** Null: single copies go by the SDK. */
  readonly pools: PooledCopies | null;
  readonly abilities: StoreAbilities;
  readonly speeds: CopySpeeds;
  readonly parts: PartSettings;
  /** Objects larger than this always go in parts. */
  readonly multipartCopyBytes: number;
  /** See `S3ObjectStoreOptions.keepMultipartEtags`. */
  readonly keepMultipartEtags: boolean;
}

/** A job's copies. */
export class ObjectCopies {
  readonly #dependencies: CopyDependencies;

  constructor(means: CopyDependencies) {
    this.#dependencies = means;
  }

  /** Gives the new object's ETag; throws {@link S3Fault}. */
  copy(request: CopyRequest, signal: AbortSignal | undefined, pass: WritePass): Promise<string> {
    const { source } = request;
    if (this.#mustGoInParts(source)) return this.#inParts(request, null, signal, pass);
    // Nothing is to be learned of small ones. They are what a job consists of, and each hundreds of times in memory.
    if (source.size < TELLING_BYTES) return this.#unmeasured(request, signal, pass);
    return this.#fasterWay(request, signal, pass);
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

  async #fasterWay(request: CopyRequest, signal: AbortSignal | undefined, pass: WritePass): Promise<string> {
    const { source } = request;
    if (source.size < LARGE_BYTES || !this.#dependencies.speeds.prefersParts(source.size)) {
      return this.#single(request, signal, pass);
    }
    const traits = await this.#provableTraits(source, signal);
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
   * Null when a copy in parts could not be proved to be the same, or could not keep all of the object. What cannot be
   * looked at goes in one request too: then the store itself says what is wrong.
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

  /** None where they cannot be read: then no copy in parts was begun either, which reads them first. */
  async #readableTags(source: CopyRequest["source"], signal: AbortSignal | undefined) {
    try {
      return await readTags(this.#dependencies.requests, source, signal);
    } catch (error) {
      const isUntold = error instanceof S3Fault && ["gone", "refused", "denied"].includes(error.kind);
      if (!isUntold) throw error;
      return [];
    }
  }

  #unmeasured(request: CopyRequest, signal: AbortSignal | undefined, pass: WritePass): Promise<string> {
    const { requests, pools, abilities } = this.#dependencies;
    return singleCopy({ requests, abilities, request, signal, pass }, pools);
  }

  async #single(request: CopyRequest, signal: AbortSignal | undefined, pass: WritePass): Promise<string> {
    const { speeds } = this.#dependencies;
    const begun = performance.now();
    const etag = await this.#unmeasured(request, signal, pass);
    speeds.note("single", request.source.size, performance.now() - begun);
    return etag;
  }

  async #inParts(
    request: CopyRequest,
    traits: SourceTraits | null,
    signal: AbortSignal | undefined,
    pass: WritePass,
  ): Promise<string> {
    const { requests, parts, abilities, speeds } = this.#dependencies;
    const time = new WorkTime();
    const known = traits ?? (await readSourceTraits(requests, request.source, signal));
    const watched = time.watch(pass);
    const copying = {
      requests,
      request,
      abilities,
      signal,
      pass: watched,
      traits: known,
      slots: speeds.slots,
    };
    const etag = await multipartCopy(copying, parts);
    speeds.note("parts", request.source.size, time.ms);
    return etag;
  }
}
