/** DatabaseHealth: samples the load of a production database. The decisions based on it are made elsewhere. */

/** The measures of a database's health; each may have a limit in a job's guards. */
export type HealthMeasure = "threadsRunning" | "replicaLagSeconds" | "lockWaits";

/** A measure that the account may not read. */
export interface MissingRight {
  readonly measure: HealthMeasure;
  /** The server that refused, by its configured name. */
  readonly server: string;
  /** Name of the right, e.g. `SLAVE MONITOR`. */
  readonly right: string;
  /** The statement that grants the right. */
  readonly grant: string;
}

/** One sample of a database's health. A measure is null where there is nothing to read. */
export interface HealthSample {
  /** The server's `Threads_running`: threads that are not sleeping, the one of this query included. */
  readonly threadsRunning: number | null;
  /**
   * Lag of the replica that is furthest behind, seconds; Infinity when one is stopped, broken or does not answer. Null when
   * it was not requested or there is no replica.
   */
  readonly replicaLagSeconds: number | null;
  /** The replica with that lag, and its fault where the lag is Infinity; null with a null lag. */
  readonly replica: { readonly server: string; readonly trouble: string | null } | null;
  /** Transactions waiting for another one's row lock, those of Tranship included. */
  readonly lockWaits: number | null;
  readonly missingRights: readonly MissingRight[];
}

export interface DatabaseHealth {
  /** Name of the database, as configured. */
  readonly database: string;
  /**
   * Takes a sample by one or two cheap statements that read no table; they are not counted as production statements.
   * Throws `database_unavailable` or `database_refused` when the database itself does not answer; the lag of a replica that
   * does not answer is Infinity.
   */
  sample(ask: { readonly replicaLag: boolean }): Promise<HealthSample>;
}
