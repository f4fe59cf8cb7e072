/** `requestsOf`: estimates the requests of a job from those that planning it took. */

import type { JobSpec } from "../../domain/job-spec.ts";
import type { WriteProtection } from "../../ports/object-store.ts";
import type { ObjectCount, ReadCounts } from "./preflight-count.ts";
import type { PreflightReport } from "./preflight-report.ts";

/** Estimates the requests of a job without failures: conflicts, retries and throttling cost more. */
export function requestsOf(
  spec: JobSpec,
  count: ObjectCount,
  protection: WriteProtection,
): PreflightReport["requests"] {
  const { source, target } = count.reads;
  const deletes = spec.delete.when === "never" ? 0 : count.pages;
  // Once the copies exist, a listing of the target includes them.
  const atCopies: ReadCounts = { list: Math.max(target.list, count.pages), head: target.head };
  // Before deletions the sources are read again: listed for a bucket inventory, else as planning read them.
  const atSources: ReadCounts = spec.inventory.from === "bucket" ? { list: count.pages, head: 0 } : source;
  const reads = [source, target, atCopies, ...(deletes > 0 ? [atCopies, atSources] : [])];
  // Where the store ignores conditions, each target gets a HEAD request immediately before its copy.
  const guards = protection.copies === "look" && spec.onConflict !== "overwrite" ? count.objects : 0;
  return {
    list: reads.reduce((sum, read) => sum + read.list, 0),
    copy: count.objects,
    head: reads.reduce((sum, read) => sum + read.head, 0) + checksumReads(spec, count) + guards,
    delete: deletes,
  };
}

/** HEAD requests for checksums, to source and target, where ETags do not compare or the job asks for checksums. */
function checksumReads({ verify }: JobSpec, { objects, withoutComparableEtag }: ObjectCount): number {
  if (verify === "checksum") return 2 * objects;
  return verify === "etag" ? 2 * withoutComparableEtag : 0;
}
