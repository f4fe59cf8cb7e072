/** Objects that cannot be copied because they have no new key, or one that stores do not accept. */

import { type BatchObject, fail } from "../domain/batch.ts";
import { keyFault } from "../domain/keys/key-mapping.ts";
import { targetKey } from "./bucket-access.ts";
import type { CopyContext } from "./stage-contexts.ts";

/** Makes `object` an exception where its new key is impossible; sends no request. */
export function refuseImpossibleKey(context: CopyContext, object: BatchObject): void {
  if (!context.relocation.holds(object.key)) {
    // A retried exception: the key that the ledger keeps has not changed, even if the manifest or the row was corrected.
    if (context.spec.inventory.from === "manifest")
      fail(object, "outside_prefix", "the key is not under the source prefix");
    else fail(object, "value_not_understood", "the stored value does not follow the reference's form");
    return;
  }
  const fault = keyFault(targetKey(context, object));
  if (fault === "key_too_long") fail(object, fault, "the new key would be longer than 1,024 bytes");
  if (fault === "key_invalid") fail(object, fault, "the new key would be empty or not well-formed Unicode");
}
