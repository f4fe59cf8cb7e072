/** MariaDB's slow log, read for the times of the statements over many rows. */

/** A statement that looked at more than one row, as the server's own slow log has it. */
export interface LongStatement {
  readonly kind: "read" | "rewrite";
  /** From the arrival of the statement to the end of its commit: row locks are held for less. */
  readonly milliseconds: number;
}

/** Reads the statements and times out of a slow log's text. */
export function readSlowLog(text: string): LongStatement[] {
  const statements: LongStatement[] = [];
  for (const entry of text.split("# User@Host").slice(1)) {
    const seconds = /Query_time: ([\d.]+)/.exec(entry)?.[1];
    const verb = /^(SELECT|UPDATE) .*images/m.exec(entry)?.[1];
    if (seconds === undefined || verb === undefined) continue;
    statements.push({ kind: verb === "UPDATE" ? "rewrite" : "read", milliseconds: Number(seconds) * 1000 });
  }
  return statements;
}
