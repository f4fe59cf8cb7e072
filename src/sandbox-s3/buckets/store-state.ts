/** What every operation works on: the buckets, the open uploads and the clock. */

import { randomBytes } from "node:crypto";
import { MultipartUploads } from "../objects/multipart-uploads.ts";
import type { StoredVersion } from "../objects/stored-object.ts";
import { s3Error } from "../protocol/s3-error.ts";
import { Bucket } from "./bucket.ts";
import type { OrderedKeys } from "./key-index.ts";
import type { StoreClock } from "./store-clock.ts";

/** The whole contents of a sandbox store. */
export class StoreState {
  /** Whether copies, completions and deletions honour conditions on the key they change; some stores ignore them. */
  keepsConditions = true;
  readonly region: string;
  readonly clock: StoreClock;
  readonly buckets = new Map<string, Bucket>();
  readonly uploads = new MultipartUploads();

  constructor(region: string, clock: StoreClock) {
    this.region = region;
    this.clock = clock;
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
