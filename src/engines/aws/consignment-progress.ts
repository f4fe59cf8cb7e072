/** ConsignmentProgress: what the engine saves in the ledger of a consignment on its way. */

import { DomainError } from "../../domain/errors.ts";
import type { ConsignmentLimits } from "../../ports/consignment-engine.ts";

const FORMAT = 1;

/** A manifest as it was written. */
export interface WrittenManifest {
  readonly key: string;
  /** Without quotes; the job reads this version only. */
  readonly etag: string;
  readonly rows: number;
}

/**
 * `manifest`: the manifest is written, and CreateJob may have been sent; `job`: the job's id is known. Null: a manifest may
 * have been written, and no job was created.
 */
export type ConsignmentProgress =
  | { readonly stage: "manifest"; readonly manifest: WrittenManifest }
  | {
      readonly stage: "job";
      readonly manifest: WrittenManifest;
      readonly jobId: string;
      /** Epoch ms, when the id became known. */
      readonly since: number;
      /** Under which the job was created; undefined where an earlier version created it. */
      readonly limits?: ConsignmentLimits;
    };

/** The text for the ledger. */
export function encodeProgress(progress: ConsignmentProgress): string {
  return JSON.stringify({ v: FORMAT, ...progress });
}

/** The progress in `text`; throws `engine_refused` where it is not understood. */
export function decodeProgress(text: string | null): ConsignmentProgress | null {
  if (text === null) return null;
  const saved = parsed(text);
  const known = saved?.v === FORMAT && (saved.stage === "manifest" || saved.stage === "job");
  if (!known) {
    throw new DomainError(
      "engine_refused",
      "the record of this consignment was saved by another version of this program; let that version finish it",
    );
  }
  return saved;
}

function parsed(text: string): (ConsignmentProgress & { readonly v: unknown }) | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
