/** Decides in which parts a large object is copied, so that the copy gets the source's ETag where that can be. */

import { partsInEtag } from "../read/etag.ts";

const MIB = 1024 ** 2;

/** S3 user guide, "Amazon S3 multipart upload limits"; the last part may be smaller. */
export const MIN_PART_BYTES = 5 * MIB;
const MAX_PART_BYTES = 5 * 1024 * MIB;
const MAX_PARTS = 10_000;

/** Smaller parts would save a tenth of a second and double the requests, which AWS bills one by one. */
const SMALL_PART_BYTES = 16 * MIB;
/** Larger ones would only make the last one last longer. */
const LARGE_PART_BYTES = 64 * MIB;

/** Part sizes that uploaders use by default, most common first. */
const USUAL_PART_BYTES = [8, 5, 16, 10, 64, 100, 128, 32, 50, 256, 512].map((mib) => mib * MIB);

/** One part: its number from 1, and its first and last byte. */
export interface PartRange {
  readonly number: number;
  readonly first: number;
  readonly last: number;
}

/** What is known of the source when the parts are planned. */
export interface PartedSource {
  readonly size: number;
  readonly etag: string;
  /** Size of its first part, as `HEAD ?partNumber=1` tells; null where the store does not. */
  readonly firstPartBytes: number | null;
}

/**
 * Bytes in each part. A multipart ETag is a digest over the parts' digests, so only the source's own part size
 * gives the copy the same ETag; where the store does not tell it, the sizes that uploaders use are tried against the
 * number of parts. Otherwise `preferred`, or more where there would be too many parts.
 */
export function partBytesFor(source: PartedSource, preferred: number): number {
  const candidates = [source.firstPartBytes, ...USUAL_PART_BYTES];
  const same = candidates.find((bytes) => givesSameParts(source, bytes));
  return same ?? Math.max(preferred, MIN_PART_BYTES, Math.ceil(source.size / MAX_PARTS));
}

/** Whether parts of `bytes` are as many as the source's ETag speaks of, and S3 takes them. */
export function givesSameParts(
  { size, etag }: Omit<PartedSource, "firstPartBytes">,
  bytes: number | null,
): bytes is number {
  const parts = partsInEtag(etag);
  if (parts === null || bytes === null) return false;
  if (bytes > MAX_PART_BYTES || Math.ceil(size / bytes) !== parts) return false;
  return parts === 1 || bytes >= MIN_PART_BYTES;
}

/**
 * Bytes in each part of an object of `size` bytes whose ETag does not dictate them: so many that all parts go at once,
 * within 16–64 MiB.
 */
export function handyPartBytes(size: number, partConcurrency: number): number {
  const even = Math.ceil(size / partConcurrency / MIB) * MIB;
  return Math.min(LARGE_PART_BYTES, Math.max(SMALL_PART_BYTES, even));
}

/** The parts of an object of `size` bytes. */
export function partRanges(size: number, partBytes: number): readonly PartRange[] {
  const count = Math.ceil(size / partBytes);
  return Array.from({ length: count }, (_, at) => ({
    number: at + 1,
    first: at * partBytes,
    last: Math.min(size, (at + 1) * partBytes) - 1,
  }));
}
