/** Looks up the source objects of keys from rows or a manifest. */

import type { ReferencingRow } from "../../domain/batch.ts";
import type { ObjectFailure } from "../../ports/object-store.ts";
import { sourceAccess } from "../bucket-access.ts";
import { headMany } from "../head-many.ts";
import type { SourceContext } from "../stage-contexts.ts";
import type { InventoryItem } from "./inventory-item.ts";

/** A key that rows or a manifest name; see {@link InventoryItem} for its members. */
export interface NamedKey {
  readonly key: string;
  readonly rows: readonly ReferencingRow[] | null;
  readonly position: string;
  /** Set when the key cannot be moved; for a value in no known form `key` is the part of it after the URL prefix. */
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
