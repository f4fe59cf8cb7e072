/** Looks up the source objects of keys that came from somewhere else than a listing. */

import type { ExceptionCode, NamingRow } from "../domain/batch.ts";
import { lookAt } from "./look.ts";
import type { InventoryItem } from "./plan.ts";
import type { StageContext } from "./stage-context.ts";

export interface NamedKey {
  readonly key: string;
  readonly rows: readonly NamingRow[] | null;
  readonly position: string;
  /** Set when the value that should name a key cannot be understood; `key` is the value then. */
  readonly fault: ExceptionCode | null;
}

/** The keys as inventory items; one that is not in the source bucket has an empty ETag. */
export async function sourcesOf(context: StageContext, named: readonly NamedKey[]): Promise<InventoryItem[]> {
  const { source: store, spec, concurrency, signal } = context;
  const keys = named.filter((item) => item.fault === null).map((item) => item.key);
  const found = await lookAt({ store, bucket: spec.source.bucket, concurrency, signal }, keys);
  return named.map(({ key, rows, position, fault }) => {
    const seen = found.get(key);
    return {
      key,
      size: seen?.size ?? 0,
      etag: seen?.etag ?? "",
      storageClass: seen?.storageClass ?? null,
      modifiedAt: seen?.modifiedAt ?? null,
      rows,
      position,
      fault,
    };
  });
}
