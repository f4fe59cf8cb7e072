/** `shapeFaults`: turns a schema checker's errors into faults for users, one for each JSON pointer, with what is allowed. */

import type { Fault } from "../../domain/errors.ts";

/** An error as TypeBox's compiled schema gives it. */
export interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

/**
 * One fault for each JSON pointer. A value that matches no branch of a union gives an error for every branch: the most
 * specific ones are kept. `patternMeanings` has the message for each pattern.
 */
export function shapeFaults(
  errors: readonly SchemaError[],
  patternMeanings: Readonly<Record<string, string>>,
): Fault[] {
  const byPointer = new Map<string, Fault>();
  const add = (fault: Fault) => {
    if (!byPointer.has(fault.pointer)) byPointer.set(fault.pointer, fault);
  };
  for (const error of errors) {
    if (isRedundant(error, errors)) continue;
    for (const fault of faultsOf(error, errors, patternMeanings)) add(fault);
  }
  return [...byPointer.values()];
}

/** Whether another error is more specific about the same value. */
function isRedundant({ keyword, instancePath, message }: SchemaError, all: readonly SchemaError[]): boolean {
  // "schema is false" at an unknown field: the `additionalProperties` error names the field.
  if (keyword === "boolean") return true;
  // Errors of a union itself and of its null branch.
  if (keyword !== "anyOf" && message !== "must be null") return false;
  return all.some(
    (other) =>
      other.keyword !== "anyOf" &&
      other.message !== "must be null" &&
      other.instancePath.startsWith(instancePath),
  );
}

function faultsOf(
  { keyword, instancePath: pointer, params, message }: SchemaError,
  all: readonly SchemaError[],
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

function allowedAt(pointer: string, all: readonly SchemaError[]): string[] {
  const values = all
    .filter((other) => other.keyword === "const" && other.instancePath === pointer)
    .map((other) => JSON.stringify((other.params as { readonly allowedValue?: unknown }).allowedValue));
  return [...new Set(values)];
}

function escapePointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
