/** This file is what every operation works on: the buckets, the open uploads, the clock and the limits. */

import { randomBytes } from "node:crypto";
import { MultipartUploads } from "../objects/multipart-uploads.ts";
import type { StoredVersion } from "../objects/stored-object.ts";
import { s3Error } from "../protocol/s3-error.ts";
import { Bucket } from "./bucket.ts";
import type { OrderedKeys } from "./key-index.ts";
import type { StoreClock } from "./store-clock.ts";

/** Limits of S3 that tests may lower. */
export interface S3SizeLimits {
  /** Smallest size of every part but the last. */
  readonly minPartBytes: number;
  /** Largest source of one CopyObject or UploadPartCopy. */
  readonly maxCopyBytes: number;
}

/** The whole contents of a sandbox store. */
export class StoreState {
  /** Whether copies, completions and deletions honour conditions on the key they change; some stores ignore them. */
  keepsConditions = true;
  readonly region: string;
  readonly clock: StoreClock;
  readonly limits: S3SizeLimits;
  readonly buckets = new Map<string, Bucket>();
  readonly uploads: MultipartUploads;

  constructor(region: string, clock: StoreClock, limits: S3SizeLimits) {
    this.region = region;
    this.clock = clock;
    this.limits = limits;
    this.uploads = new MultipartUploads();
  }

  /** The bucket; throws NoSuchBucket. */
  bucket(name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (bucket === undefined) throw s3Error("NoSuchBucket", undefined, { fields: { BucketName: name } });
    return bucket;
  }

  /** The region of a bucket; the store's own for one that does not exist. */
  regionOf(name: string): string {
    return this.buckets.get(name)?.region ?? this.region;
  }

  /** Adds a bucket, with an index of its own kind if given; an existing one of that name is returned unchanged. */
  createBucket(name: string, index?: OrderedKeys<StoredVersion>): Bucket {
    const existing = this.buckets.get(name);
    if (existing !== undefined) return existing;
    const created = new Bucket(name, this.region, this.clock.nowMs(), newVersionId, index);
    this.buckets.set(name, created);
    return created;
  }
}

function newVersionId(): string {
  return randomBytes(24).toString("base64url");
}
