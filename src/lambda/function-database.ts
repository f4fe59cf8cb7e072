/**
 * The database whose rows a function updates, from its environment:
 *
 * | variable              | meaning                                                                            |
 * |-----------------------|------------------------------------------------------------------------------------|
 * | TRANSHIP_DATABASE     | its name in the service's configuration, as references in jobs have it             |
 * | TRANSHIP_DATABASE_URL | `mysql://user:password@host:port/database`; absent: the function updates no rows   |
 */

import type { Clock } from "../ports/clock.ts";
import type { UpdatingJob } from "./copy-ports.ts";
import { type RowUpdater, type RowUpdaterParts, referencesIn } from "./row-updater.ts";

export interface FunctionDatabase {
  readonly name: string;
  readonly url: string;
}

/** Null where no address is given. */
export function functionDatabase(
  environment: Readonly<Record<string, string | undefined>>,
): FunctionDatabase | null {
  const { TRANSHIP_DATABASE: name = "", TRANSHIP_DATABASE_URL: url } = environment;
  return url ? { name, url } : null;
}

/** Updates rows of `database`, which is opened with the first call: most environments never need its driver. */
export class FunctionRows {
  readonly #database: FunctionDatabase;
  readonly #parts: { readonly clock: Clock; readonly log: RowUpdaterParts["log"] };
  #updater: RowUpdater | null = null;

  constructor(
    database: FunctionDatabase,
    parts: { readonly clock: Clock; readonly log: RowUpdaterParts["log"] },
  ) {
    this.#database = database;
    this.#parts = parts;
  }

  /** Throws `RangeError` where `job` has no rows in the database. */
  check(job: Pick<UpdatingJob, "updates">): void {
    referencesIn(this.#database.name, job);
  }

  /** See {@link RowUpdater.update}; throws `config_invalid` where the address is not one. */
  async update(job: UpdatingJob, keys: readonly string[]): Promise<number> {
    if (this.#updater === null) {
      const { openRowUpdater } = await import("./open-row-updater.ts");
      this.#updater ??= openRowUpdater(this.#database, this.#parts).updater;
    }
    return this.#updater.update(job, keys);
  }
}
