/** The requests a job would send, from those its planning took. */

import type { JobSpec } from "../../domain/job-spec.ts";
import type { WriteProtection } from "../../ports/object-store.ts";
import type { Looks, ObjectCount } from "./preflight-count.ts";
import type { PreflightReport } from "./preflight-report.ts";

/** Estimates the requests of a job without troubles: conflicts, repetitions and throttling cost more. */
export function requestsOf(
  spec: JobSpec,
  count: ObjectCount,
  protection: WriteProtection,
): PreflightReport["requests"] {
  const { source, target } = count.looks;
  const deletes = spec.delete.when === "never" ? 0 : count.pages;
  // Once the copies are there, a listing of the target has to pass them.
  const atCopies: Looks = { list: Math.max(target.list, count.pages), head: target.head };
  // Before deleting, sources are looked for by name: as the inventory did, unless it listed them all.
  const atSources: Looks = spec.inventory.from === "bucket" ? { list: count.pages, head: 0 } : source;
  const looks = [source, target, atCopies, ...(deletes > 0 ? [atCopies, atSources] : [])];
  // Where the store ignores conditions, each target is looked at immediately before its copy.
  const guards = protection.copies === "look" && spec.onConflict !== "overwrite" ? count.objects : 0;
  return {
    list: looks.reduce((sum, look) => sum + look.list, 0),
    copy: count.objects,
    head: looks.reduce((sum, look) => sum + look.head, 0) + checksumLooks(spec, count) + guards,
    delete: deletes,
  };
}

/** Both sides are asked for their checksums where ETags cannot tell, or where the job wants it so. */
function checksumLooks({ verify }: JobSpec, { objects, withoutComparableEtag }: ObjectCount): number {
  if (verify === "checksum") return 2 * objects;
  return verify === "etag" ? 2 * withoutComparableEtag : 0;
}
