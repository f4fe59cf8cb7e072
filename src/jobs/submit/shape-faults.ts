/** Turns a schema checker's complaints into faults a person can act on: one a place, and what would be right. */

import type { Fault } from "../../domain/errors.ts";

/** A complaint as the compiled schema gives it. */
export interface Complaint {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

/**
 * One fault for each place. A value that fits no branch of a union is complained about by every branch: the complaints
 * that say most are kept. `patternMeanings` says in words what a pattern asks for.
 */
export function shapeFaults(
  complaints: readonly Complaint[],
  patternMeanings: Readonly<Record<string, string>>,
): Fault[] {
  const byPointer = new Map<string, Fault>();
  const add = (fault: Fault) => {
    if (!byPointer.has(fault.pointer)) byPointer.set(fault.pointer, fault);
  };
  for (const complaint of complaints) {
    if (isEcho(complaint, complaints)) continue;
    for (const fault of faultsOf(complaint, complaints, patternMeanings)) add(fault);
  }
  return [...byPointer.values()];
}

/** Whether another complaint says the same better. */
function isEcho({ keyword, instancePath, message }: Complaint, all: readonly Complaint[]): boolean {
  // "schema is false" at an unknown field: `additionalProperties` says so in plain words.
  if (keyword === "boolean") return true;
  // The other branches of a union: "or null", "or one of the branches".
  if (keyword !== "anyOf" && message !== "must be null") return false;
  return all.some(
    (other) =>
      other.keyword !== "anyOf" &&
      other.message !== "must be null" &&
      other.instancePath.startsWith(instancePath),
  );
}

function faultsOf(
  { keyword, instancePath: pointer, params, message }: Complaint,
  all: readonly Complaint[],
  patternMeanings: Readonly<Record<string, string>>,
): Fault[] {
  const given = params as Readonly<Record<string, unknown>>;
  switch (keyword) {
    case "additionalProperties":
      return under(pointer, given.additionalProperties, "unknown field");
    case "required":
      return under(pointer, given.requiredProperties, "missing, and required");
    case "const":
      return [{ pointer, message: `must be one of: ${allowedAt(pointer, all).join(", ")}` }];
    case "pattern":
      return [{ pointer, message: patternMeanings[String(given.pattern)] ?? message }];
    default:
      return [{ pointer, message }];
  }
}

function under(pointer: string, names: unknown, message: string): Fault[] {
  const list = Array.isArray(names) ? names.map(String) : [];
  return list.map((name) => ({ pointer: `${pointer}/${escapePointer(name)}`, message }));
}

function allowedAt(pointer: string, all: readonly Complaint[]): string[] {
  const values = all
    .filter((other) => other.keyword === "const" && other.instancePath === pointer)
    .map((other) => JSON.stringify((other.params as { readonly allowedValue?: unknown }).allowedValue));
  return [...new Set(values)];
}

function escapePointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
