/** Plans the parts of a copy, so that it gets the source's ETag where possible. */

import { partsInEtag } from "../read/etag.ts";

const MIB = 1024 ** 2;

/** S3 user guide, "Amazon S3 multipart upload limits"; the last part may be smaller. */
export const MIN_PART_BYTES = 5 * MIB;
const MAX_PART_BYTES = 5 * 1024 * MIB;
const MAX_PARTS = 10_000;

/** Smaller parts would save a tenth of a second and double the number of requests, which AWS bills one by one. */
const DEFAULT_MIN_BYTES = 16 * MIB;
/** Larger parts would save requests, but the last one would take longer. */
const DEFAULT_MAX_BYTES = 64 * MIB;

/** Part sizes that uploaders use by default, most common first. */
const COMMON_PART_BYTES = [8, 5, 16, 10, 64, 100, 128, 32, 50, 256, 512].map((mib) => mib * MIB);

/** One part: its number from 1, and its first and last byte. */
export interface PartRange {
  readonly number: number;
  readonly first: number;
  readonly last: number;
}

export interface PartedSource {
  readonly size: number;
  readonly etag: string;
  /** Bytes in its first part by `HEAD ?partNumber=1`; null where the store does not support that. */
  readonly firstPartBytes: number | null;
}

/**
 * Bytes in each part. A multipart ETag is a digest of the parts' digests, so only the source's own part size gives the
 * copy the same ETag; where it is not known, the first common size that gives the ETag's number of parts is taken.
 * Otherwise `preferred`, or more where there would be too many parts.
 */
export function choosePartBytes(source: PartedSource, preferred: number): number {
  const candidates = [source.firstPartBytes, ...COMMON_PART_BYTES];
  const same = candidates.find((bytes) => fitsPartCount(source, bytes));
  return same ?? Math.max(preferred, MIN_PART_BYTES, Math.ceil(source.size / MAX_PARTS));
}

/** Whether parts of `bytes` are allowed and as many as the source's ETag states. */
export function fitsPartCount(
  { size, etag }: Omit<PartedSource, "firstPartBytes">,
  bytes: number | null,
): bytes is number {
  const parts = partsInEtag(etag);
  if (parts === null || bytes === null) return false;
  if (bytes > MAX_PART_BYTES || Math.ceil(size / bytes) !== parts) return false;
  return parts === 1 || bytes >= MIN_PART_BYTES;
}

/** Bytes in each part where the ETag does not dictate a size: so many that all parts are under way at once, 16–64 MiB. */
export function defaultPartBytes(size: number, partConcurrency: number): number {
  const even = Math.ceil(size / partConcurrency / MIB) * MIB;
  return Math.min(DEFAULT_MAX_BYTES, Math.max(DEFAULT_MIN_BYTES, even));
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
