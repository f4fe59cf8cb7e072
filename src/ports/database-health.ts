/** What a production database says of how it feels; asked rarely, decided upon elsewhere. */

/** What can be read of a database's health; each may have a limit in a job's guards. */
export type HealthMeasure = "threadsRunning" | "replicaLagSeconds" | "lockWaits";

/** A measure that the account may not read. */
export interface MissingRight {
  readonly measure: HealthMeasure;
  /** Which server refused, as an operator knows it. */
  readonly server: string;
  /** Name of the right, e.g. `SLAVE MONITOR`. */
  readonly right: string;
  /** The statement that gives it. */
  readonly grant: string;
}

/** One look at a database. A measure is null where there is nothing to read. */
export interface HealthSample {
  /** Threads that are not asleep, the asking one included: the server's `Threads_running`. */
  readonly threadsRunning: number | null;
  /**
   * Seconds that the replica furthest behind is behind; Infinity when one is stopped, broken or silent. Null when it
   * was not asked for or there is no replica.
   */
  readonly replicaLagSeconds: number | null;
  /** Whose lag that is, and what is wrong with it where it is Infinity; null with a null lag. */
  readonly replica: { readonly server: string; readonly trouble: string | null } | null;
  /** Transactions that wait for a row lock of another one, ours included. */
  readonly lockWaits: number | null;
  readonly missingRights: readonly MissingRight[];
}

export interface DatabaseHealth {
  /** Name of the database, as configured. */
  readonly database: string;
  /**
   * Looks once, with a cheap statement or two that touch no table; they are not counted as production statements.
   * Throws `database_unavailable` or `database_refused` when the database itself does not answer; a replica that does
   * not is infinitely behind.
   */
  sample(ask: { readonly replicaLag: boolean }): Promise<HealthSample>;
}
