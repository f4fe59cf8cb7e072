/** Which conditions of requests a store enforces; shared by all jobs on it, so that each is probed once. */

import { EvidenceGap } from "../../domain/evidence-gap.ts";

/**
 * Whether a store enforces the conditions of requests that change a key:
 *
 * | value    | meaning                                                              |
 * |----------|----------------------------------------------------------------------|
 * | unknown  | not probed yet: nothing is relied on                                 |
 * | enforced | it has refused a request whose condition was false                   |
 * | ignored  | it has carried out such a request, or refused the probe otherwise    |
 * | rejected | it does not know the header: requests must be sent without it        |
 */
export type ConditionSupport = "unknown" | "enforced" | "ignored" | "rejected";

/** Learned from a store's answers. */
export interface StoreCapabilities {
  /** `If-None-Match` and `If-Match` on the key that a copy or a completion writes. */
  copyConditions: ConditionSupport;
  /** The ETag of each key in a deletion. */
  deleteConditions: ConditionSupport;
  /** Where copies are not conditional: from the HEAD of the target to the answer of the copy. */
  readonly copyGap: EvidenceGap;
  /** Under way: the probe that sets `copyConditions`, or leaves them unknown. */
  copyProbe: Promise<void> | null;
}

/** Of a store that enforces all conditions, as AWS does (S3 user guide, "Conditional requests"). */
export function fullCapabilities(): StoreCapabilities {
  const copyGap = new EvidenceGap();
  return { copyConditions: "enforced", deleteConditions: "enforced", copyGap, copyProbe: null };
}

/** Of a store that has not been probed yet. */
export function unknownCapabilities(): StoreCapabilities {
  return { ...fullCapabilities(), copyConditions: "unknown", deleteConditions: "unknown" };
}
