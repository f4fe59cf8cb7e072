/** Faults of a job of the right shape: rules between its fields, checked without any server. */

import { parseDuration } from "./duration.ts";
import type { Fault } from "./errors.ts";
import { type JobSpec, MAX_KEY_BYTES, type ReferenceSpec } from "./job-spec.ts";
import { keyBytes, prefixesOverlap } from "./keys/key-mapping.ts";
import { nestedPrefixFaults } from "./keys/nested-prefixes.ts";
import { windowFaults } from "./windows/window-faults.ts";

/** Every fault of `spec` but those of its engine; `known` are the configured names. */
export function specFaults(
  spec: JobSpec,
  known: { readonly stores: readonly string[]; readonly databases: readonly string[] },
): Fault[] {
  return [
    ...nameFaults(spec, known),
    ...locationFaults(spec),
    ...inventoryFaults(spec),
    ...referenceFaults(spec),
    ...timeFaults(spec),
  ];
}

function nameFaults(
  spec: JobSpec,
  known: { readonly stores: readonly string[]; readonly databases: readonly string[] },
): Fault[] {
  const faults: Fault[] = [];
  const store = (pointer: string, name: string) => {
    if (!known.stores.includes(name))
      faults.push({ pointer, message: unknown("store", name, known.stores), code: "unknown_store" });
  };
  store("/source/store", spec.source.store);
  store("/target/store", spec.target.store);
  if (spec.inventory.from === "manifest") store("/inventory/store", spec.inventory.store);
  for (const [i, { database }] of spec.references.entries()) {
    if (!known.databases.includes(database)) {
      const pointer = `/references/${i}/database`;
      const message = unknown("database", database, known.databases);
      faults.push({ pointer, message, code: "unknown_database" });
    }
  }
  return faults;
}

function unknown(what: string, name: string, known: readonly string[]): string {
  const list = known.length === 0 ? "none is configured" : `configured are: ${known.join(", ")}`;
  return `unknown ${what} ${JSON.stringify(name)}; ${list}`;
}

function locationFaults(spec: JobSpec): Fault[] {
  const { source, target } = spec;
  const faults: Fault[] = [];
  for (const [name, place] of [["source", source] as const, ["target", target] as const]) {
    const pointer = `/${name}/prefix`;
    if (!place.prefix.isWellFormed())
      faults.push({ pointer, message: "not well-formed Unicode (a lone surrogate)" });
    if (keyBytes(place.prefix) > MAX_KEY_BYTES) {
      faults.push({ pointer, message: `longer than ${MAX_KEY_BYTES} bytes in UTF-8` });
    }
  }
  // Stores with different names may have the same endpoint: endpoints are compared when the stores are opened.
  if (source.store !== target.store || source.bucket !== target.bucket) {
    return [...faults, ...nestedPrefixFaults(spec)];
  }
  if (source.prefix === target.prefix) {
    faults.push({
      pointer: "/target",
      message: "source and target are the same place",
      code: "identity_mapping",
    });
  } else if (prefixesOverlap(source.prefix, target.prefix)) {
    faults.push({
      pointer: "/target/prefix",
      code: "target_inside_source",
      message:
        "source and target prefixes overlap in one bucket: copies would be moved again; choose separate prefixes",
    });
  }
  return faults;
}

function inventoryFaults({ inventory, references }: JobSpec): Fault[] {
  const faults: Fault[] = [];
  if (inventory.from === "database" && references.length === 0) {
    faults.push({
      pointer: "/inventory/from",
      message: "the database inventory needs a reference to read from",
    });
  }
  if (inventory.from !== "manifest") return faults;
  const message = "missing: a manifest inventory names the bucket and key of its file";
  if (inventory.bucket === "") faults.push({ pointer: "/inventory/bucket", message });
  if (inventory.key === "") faults.push({ pointer: "/inventory/key", message });
  return faults;
}

function referenceFaults(spec: JobSpec): Fault[] {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  for (const [i, reference] of spec.references.entries()) {
    const { database, table, column } = reference;
    const identity = JSON.stringify([database, table, column]);
    if (seen.has(identity))
      faults.push({ pointer: `/references/${i}`, message: "the same column is named twice" });
    seen.add(identity);
    faults.push(...columnFaults(reference, `/references/${i}`));
  }
  return faults;
}

function columnFaults({ key, column, set, where }: ReferenceSpec, pointer: string): Fault[] {
  const faults: Fault[] = [];
  if (isSameColumn(key, column)) {
    faults.push({
      pointer: `${pointer}/column`,
      message: "the key column cannot be the column that is rewritten",
    });
  }
  for (const name of Object.keys(set).filter(
    (name) => isSameColumn(name, column) || isSameColumn(name, key),
  )) {
    const message = `${JSON.stringify(name)} is the reference's own column and cannot be set`;
    faults.push({ pointer: `${pointer}/set`, message });
  }
  for (const [group, columns] of [["set", set] as const, ["where", where] as const]) {
    for (const name of Object.keys(columns).filter((name) => !/^[\p{L}\p{N}_$-]{1,64}$/u.test(name))) {
      faults.push({
        pointer: `${pointer}/${group}`,
        message: `${JSON.stringify(name)} is not a usable column name`,
      });
    }
  }
  return faults;
}

/** Column names compare without case in MariaDB, MySQL and SQLite. */
function isSameColumn(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function timeFaults(spec: JobSpec): Fault[] {
  const faults: Fault[] = [];
  if (parseDuration(spec.delete.after) === null) {
    faults.push({
      pointer: "/delete/after",
      message: "not a duration; write 0s, 90s, 15m, 24h or 7d (at most 3650d)",
    });
  }
  const { modifiedBefore } = spec.filter;
  if (modifiedBefore !== null && !isInstant(modifiedBefore)) {
    faults.push({
      pointer: "/filter/modifiedBefore",
      message: "not an ISO 8601 instant with a zone, e.g. 2026-11-01T00:00:00Z",
    });
  }
  return spec.windows === null ? faults : [...faults, ...windowFaults(spec.windows)];
}

function isInstant(text: string): boolean {
  return (
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/.test(text) &&
    !Number.isNaN(Date.parse(text))
  );
}
