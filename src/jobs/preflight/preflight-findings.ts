/** What preflight notices while the planned objects pass by, and the problems that follow from it. */

import type { BatchObject } from "../../domain/batch.ts";
import type { JobSpec, ReferenceSpec } from "../../domain/job-spec.ts";
import type { Problem } from "./preflight-report.ts";

const EXAMPLES = 5;

/** A kind of trouble with how often it occurs and a few examples. */
export class Finding {
  count = 0;
  readonly examples: string[] = [];

  add(key: string): void {
    this.count += 1;
    if (this.examples.length < EXAMPLES) this.examples.push(key);
  }

  /** The problem it makes, with its number before `message`; none when it never occurred. */
  problems(severity: Problem["severity"], code: string, message: string): Problem[] {
    if (this.count === 0) return [];
    return [{ severity, code, message: `${this.count} ${message}`, examples: this.examples }];
  }
}

/** All kinds of trouble with objects. */
export class Findings {
  readonly long = new Finding();
  readonly archived = new Finding();
  readonly identical = new Finding();
  readonly different = new Finding();
  readonly missing = new Finding();
  readonly notUnderstood = new Finding();
  readonly outside = new Finding();
  readonly withoutRow = new Finding();
  /** By exception code: objects that the store will not tell about. */
  readonly #untold = new Map<string, Finding>();

  /** An object that is an exception before anything is done with it. */
  addException({ key, outcome }: BatchObject): void {
    if (outcome.kind !== "exception") return;
    if (outcome.code === "value_not_understood") this.notUnderstood.add(key);
    else if (outcome.code === "outside_prefix") this.outside.add(key);
    else this.addUntold(outcome.code, key);
  }

  /** An object at `key`, source or target, that the store will not tell about. */
  addUntold(code: string, key: string): void {
    const known = this.#untold.get(code) ?? new Finding();
    this.#untold.set(code, known);
    known.add(key);
  }

  /** The problems of the job `spec`. */
  problems(spec: JobSpec): Problem[] {
    return [
      ...this.long.problems(
        "error",
        "key_too_long",
        "objects get a key that is empty or longer than 1,024 bytes",
      ),
      ...this.archived.problems(
        "warning",
        "archived",
        "objects are archived: restore them first, or they become exceptions",
      ),
      ...this.#conflicts(spec),
      ...[...this.#untold].flatMap(([code, finding]) =>
        finding.problems("warning", code, "objects the store will not tell about: they become exceptions"),
      ),
      ...this.missing.problems(
        "warning",
        "object_missing",
        `objects that ${namerOf(spec)} are not in the source bucket: they become exceptions`,
      ),
      ...this.notUnderstood.problems(
        "warning",
        "value_not_understood",
        "values of the first reference's column do not follow its form: they become exceptions",
      ),
      ...this.outside.problems(
        "warning",
        "outside_prefix",
        "keys of the manifest are not under the source prefix: they become exceptions",
      ),
      ...this.withoutRow.problems(
        "warning",
        "object_without_row",
        `objects are named by no row of ${spec.references.map(columnOf).join(" or ")}: they are moved all the same`,
      ),
    ];
  }

  #conflicts({ onConflict }: JobSpec): Problem[] {
    const overwrites = onConflict === "overwrite";
    const goesOn = overwrites || onConflict === "skip-identical";
    return [
      ...this.different.problems(
        overwrites ? "warning" : "error",
        "target_exists",
        overwrites
          ? "objects at the target will be overwritten"
          : "different objects stand at the target already",
      ),
      ...this.identical.problems(
        goesOn ? "warning" : "error",
        "target_identical",
        "identical objects stand at the target already; onConflict skip-identical goes on with them",
      ),
    ];
  }
}

/** A reference's column as people read it. */
export function columnOf({ table, column }: ReferenceSpec): string {
  return `${table}.${column}`;
}

function namerOf({ inventory, references: [first] }: JobSpec): string {
  if (inventory.from === "database" && first !== undefined) return `rows of ${columnOf(first)} name`;
  return "the inventory names";
}
