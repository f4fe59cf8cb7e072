/** `ProblemCounters`: counts the problems of planned objects, with a few examples of each kind. */

import type { BatchObject } from "../../domain/batch.ts";
import type { JobSpec, ReferenceSpec } from "../../domain/job-spec.ts";
import type { PreflightProblem } from "./preflight-report.ts";

const EXAMPLES = 5;

/** One kind of problem: its number of occurrences and its first keys. */
export class ProblemCounter {
  count = 0;
  readonly examples: string[] = [];

  add(key: string): void {
    this.count += 1;
    if (this.examples.length < EXAMPLES) this.examples.push(key);
  }

  /** The problem, its count before `message`; empty when it never occurred. */
  problems(severity: PreflightProblem["severity"], code: string, message: string): PreflightProblem[] {
    if (this.count === 0) return [];
    return [{ severity, code, message: `${this.count} ${message}`, examples: this.examples }];
  }
}

/** The counters of all kinds of problems with objects. */
export class ProblemCounters {
  readonly long = new ProblemCounter();
  readonly archived = new ProblemCounter();
  readonly identical = new ProblemCounter();
  readonly different = new ProblemCounter();
  readonly missing = new ProblemCounter();
  readonly notUnderstood = new ProblemCounter();
  readonly outside = new ProblemCounter();
  readonly withoutRow = new ProblemCounter();
  /** By exception code: objects that the store refuses to describe. */
  readonly #unreadable = new Map<string, ProblemCounter>();

  /** Counts an object that planning has made an exception. */
  addException({ key, outcome }: BatchObject): void {
    if (outcome.kind !== "exception") return;
    if (outcome.code === "value_not_understood") this.notUnderstood.add(key);
    else if (outcome.code === "outside_prefix") this.outside.add(key);
    else this.addUnreadable(outcome.code, key);
  }

  /** Counts an object at `key`, of source or target, that the store refuses to describe. */
  addUnreadable(code: string, key: string): void {
    const known = this.#unreadable.get(code) ?? new ProblemCounter();
    this.#unreadable.set(code, known);
    known.add(key);
  }

  /** The problems of the job `spec`. */
  problems(spec: JobSpec): PreflightProblem[] {
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
      ...[...this.#unreadable].flatMap(([code, counter]) =>
        counter.problems("warning", code, "objects the store will not tell about: they become exceptions"),
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

  #conflicts({ onConflict }: JobSpec): PreflightProblem[] {
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

/** A reference's column as messages name it: `table.column`. */
export function columnOf({ table, column }: ReferenceSpec): string {
  return `${table}.${column}`;
}

function namerOf({ inventory, references: [first] }: JobSpec): string {
  if (inventory.from === "database" && first !== undefined) return `rows of ${columnOf(first)} name`;
  return "the inventory names";
}
