/** Looks up the source objects of keys that came from somewhere else than a listing. */

import type { ReferencingRow } from "../../domain/batch.ts";
import type { ObjectFailure } from "../../ports/object-store.ts";
import { sourceAccess } from "../bucket-access.ts";
import { headMany } from "../head-many.ts";
import type { SourceContext } from "../stage-contexts.ts";
import type { InventoryItem } from "./inventory-item.ts";

export interface NamedKey {
  readonly key: string;
  readonly rows: readonly ReferencingRow[] | null;
  readonly position: string;
  /** Set when the value that should name a key cannot be understood; `key` is the value then. */
  readonly fault: ObjectFailure | null;
}

/** The keys as inventory items; one that is not in the source bucket has an empty ETag. */
export async function sourcesOf(
  context: SourceContext,
  named: readonly NamedKey[],
): Promise<InventoryItem[]> {
  const keys = named.filter((item) => item.fault === null).map((item) => item.key);
  const { found, failed } = await headMany(sourceAccess(context), keys);
  return named.map(({ key, rows, position, fault }) => {
    const seen = found.get(key);
    return {
      key,
      size: seen?.size ?? 0,
      etag: seen?.etag ?? "",
      storageClass: seen?.storageClass ?? null,
      modifiedAt: seen?.modifiedAt ?? null,
      targetEtag: null,
      rows,
      position,
      fault: fault ?? failed.get(key) ?? null,
    };
  });
}
