/** What a store turned out to be able to do; shared by all jobs on it, so that it is found out only once. */

import { EvidenceGap } from "../../domain/evidence-gap.ts";

/**
 * Whether a store keeps to the conditions of requests that change a key:
 *
 * | value   | meaning                                                        |
 * |---------|----------------------------------------------------------------|
 * | unknown | not found out yet: nothing is relied on                        |
 * | kept    | it has refused a request whose condition did not hold          |
 * | ignored | it has done what a condition forbade, or would not say         |
 * | refused | it does not know the header: requests must be sent without it  |
 */
export type Conditions = "unknown" | "kept" | "ignored" | "refused";

/** Learned from a store's answers. */
export interface StoreAbilities {
  /** `If-None-Match` and `If-Match` on the key that a copy or a completion writes. */
  copyConditions: Conditions;
  /** The ETag of each key in a deletion. */
  deleteConditions: Conditions;
  /** Where copies are not conditional: from the look at the target to the answer of the copy. */
  readonly copyGap: EvidenceGap;
  /** Under way: what will tell about `copyConditions`, or leave them unknown. */
  finding: Promise<void> | null;
}

/** A store that keeps to all conditions, as AWS does (S3 user guide, "Conditional requests"). */
export function allAbilities(): StoreAbilities {
  const copyGap = new EvidenceGap();
  return { copyConditions: "kept", deleteConditions: "kept", copyGap, finding: null };
}

/** A store of which nothing is known yet. */
export function unknownAbilities(): StoreAbilities {
  return { ...allAbilities(), copyConditions: "unknown", deleteConditions: "unknown" };
}
