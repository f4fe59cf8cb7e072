/**
 * MySQL's answers, as its manual prints them, through the same code that asks MariaDB: there is no MySQL server among the
 * tests' parts. Sources: MySQL 8.0 and 8.4 manual, "SHOW REPLICA STATUS Statement"; 5.7 manual, "SHOW SLAVE STATUS";
 * "Server Error Message Reference" for 1064, 1227 and 3024.
 */

import { describe, expect, it } from "vitest";
import { translated } from "../../../src/stores/sql/mariadb/mariadb-errors.ts";
import { MariadbHealth } from "../../../src/stores/sql/mariadb/mariadb-health.ts";
import type { MariadbSessions, NamedResultRow } from "../../../src/stores/sql/mariadb/mariadb-sessions.ts";

const LAG = { replicaLag: true };
const INFINITE = Number.POSITIVE_INFINITY;

/** As mysql2 raises it. */
function refusal(errno: number, code: string, message: string): Error {
  return Object.assign(new Error(message), { errno, code, sqlState: "42000", sqlMessage: message });
}

const UNKNOWN = refusal(
  1064,
  "ER_PARSE_ERROR",
  "You have an error in your SQL syntax near 'ALL SLAVES STATUS'",
);
const FORBIDDEN = refusal(
  ...([1227, "ER_SPECIFIC_ACCESS_DENIED_ERROR"] as const),
  "Access denied; you need (at least one of) the SUPER, REPLICATION CLIENT privilege(s) for this operation",
);

/** What a server of each kind does with the questions; those it has no answer to are a syntax error. */
const REPLICA_STATUS = {
  Replica_IO_State: "Waiting for source to send event",
  ...{ Source_Host: "127.0.0.1", Source_User: "repl", Source_Port: 13000, Connect_Retry: 60 },
  ...{ Replica_IO_Running: "Yes", Replica_SQL_Running: "Yes", Last_Errno: 0, Last_Error: "" },
  ...{ Seconds_Behind_Source: 0, SQL_Delay: 0, SQL_Remaining_Delay: null, Channel_Name: "" },
};
const SLAVE_STATUS = {
  Slave_IO_State: "Waiting for master to send event",
  ...{ Master_Host: "localhost", Master_User: "repl", Master_Port: 13000, Connect_Retry: 60 },
  ...{ Slave_IO_Running: "Yes", Slave_SQL_Running: "Yes", Last_Errno: 0, Last_Error: "" },
  ...{ Seconds_Behind_Master: 0, SQL_Delay: 0, SQL_Remaining_Delay: null, Channel_Name: "" },
};
const GLOBAL_STATUS = [
  { Variable_name: "Innodb_row_lock_current_waits", Value: "3" },
  { Variable_name: "Threads_running", Value: "2" },
];

type Answer = readonly NamedResultRow[] | Error;

/** A server that answers questions which begin like this, and what it was asked. */
function server(answers: Readonly<Record<string, Answer>>, name = "app") {
  const asked: string[] = [];
  const sessions: Pick<MariadbSessions, "name" | "show" | "close"> = {
    name,
    async show(sql) {
      asked.push(sql);
      const prefix = Object.keys(answers).find((known) => sql.startsWith(known));
      const answer = prefix === undefined ? UNKNOWN : (answers[prefix] as Answer);
      if (answer instanceof Error) throw translated(name, answer);
      return answer;
    },
    async close() {},
  };
  return { sessions: sessions as MariadbSessions, asked };
}

const primary = () => server({ "SHOW GLOBAL STATUS": GLOBAL_STATUS });

describe("MySQL 8.0.22 and later", () => {
  const modern = (rows: readonly NamedResultRow[]) => server({ "SHOW REPLICA STATUS": rows }, "replica:3306");

  it("is asked in MariaDB's way once, in its own way ever after", async () => {
    const { sessions, asked } = modern([{ ...REPLICA_STATUS, Seconds_Behind_Source: 7 }]);
    const health = new MariadbHealth(primary().sessions, [sessions]);
    const replica = { server: "replica:3306", trouble: null };
    expect(await health.sample(LAG)).toMatchObject({ replicaLagSeconds: 7, replica, missingRights: [] });
    expect(await health.sample(LAG)).toMatchObject({ replicaLagSeconds: 7 });
    expect(asked).toEqual(["SHOW ALL SLAVES STATUS", "SHOW REPLICA STATUS", "SHOW REPLICA STATUS"]);
  });

  it.each<[string, readonly NamedResultRow[], number | null, RegExp | null]>([
    [
      "stopped",
      [{ ...REPLICA_STATUS, Replica_SQL_Running: "No", Seconds_Behind_Source: null }],
      INFINITE,
      /NULL/,
    ],
    ["that replicates from nobody", [], INFINITE, /replicates from no server/],
    [
      "of two channels, by the one further behind",
      [
        { ...REPLICA_STATUS, Channel_Name: "east", Seconds_Behind_Source: 4 },
        { ...REPLICA_STATUS, Channel_Name: "west", Seconds_Behind_Source: "31" },
      ],
      31,
      null,
    ],
  ])("a replica %s", async (_, rows, lag, trouble) => {
    const sample = await new MariadbHealth(primary().sessions, [modern(rows).sessions]).sample(LAG);
    expect(sample.replicaLagSeconds).toBe(lag);
    expect(sample.replica?.trouble ?? "").toMatch(trouble ?? /^$/);
  });
});

describe("MySQL before 8.0.22", () => {
  it("is asked by the oldest name, and answers with Seconds_Behind_Master", async () => {
    const old = server({ "SHOW SLAVE STATUS": [{ ...SLAVE_STATUS, Seconds_Behind_Master: 9 }] });
    const health = new MariadbHealth(primary().sessions, [old.sessions]);
    expect(await health.sample(LAG)).toMatchObject({ replicaLagSeconds: 9 });
    expect(await health.sample(LAG)).toMatchObject({ replicaLagSeconds: 9 });
    expect(old.asked.slice(2)).toEqual(["SHOW SLAVE STATUS", "SHOW SLAVE STATUS"]);
  });
});

describe("an account on MySQL without REPLICATION CLIENT", () => {
  const forbidding = (account: string) =>
    server({ "SHOW REPLICA STATUS": FORBIDDEN, "SELECT CURRENT_USER()": [{ account }] }, "replica:3306");

  it("is told MySQL's right and the GRANT for itself, and the rest is known all the same", async () => {
    const health = new MariadbHealth(primary().sessions, [forbidding("tranship@10.0.%").sessions]);
    expect(await health.sample(LAG)).toEqual({
      ...{ threadsRunning: 2, lockWaits: 3, replicaLagSeconds: null, replica: null },
      missingRights: [
        {
          ...{ measure: "replicaLagSeconds", server: "replica:3306", right: "REPLICATION CLIENT" },
          grant: "GRANT REPLICATION CLIENT ON *.* TO 'tranship'@'10.0.%'",
        },
      ],
    });
  });

  it("is asked again, for the right may be given meanwhile", async () => {
    const { sessions, asked } = forbidding("tranship@%");
    const health = new MariadbHealth(primary().sessions, [sessions]);
    await health.sample(LAG);
    await health.sample(LAG);
    expect(asked.filter((sql) => sql === "SHOW REPLICA STATUS")).toHaveLength(2);
  });
});

describe("a server's own status", () => {
  it("is read by any account, with the names in either case, and no replication is asked for without a limit", async () => {
    const { sessions, asked } = server({
      "SHOW GLOBAL STATUS": [
        { Variable_name: "THREADS_RUNNING", Value: "57" },
        { Variable_name: "INNODB_ROW_LOCK_CURRENT_WAITS", Value: "0" },
      ],
    });
    const sample = await new MariadbHealth(sessions, []).sample({ replicaLag: false });
    expect(sample).toMatchObject({ threadsRunning: 57, lockWaits: 0, replicaLagSeconds: null });
    expect(asked).toHaveLength(1);
  });

  it("that an account may not read (MySQL 5.7 reads it from performance_schema) is refused by name, not taken for calm", async () => {
    const denied = "SELECT command denied to user 'tranship'@'%' for table 'global_status'";
    const { sessions } = server({
      "SHOW GLOBAL STATUS": refusal(1142, "ER_TABLEACCESS_DENIED_ERROR", denied),
    });
    await expect(new MariadbHealth(sessions, []).sample({ replicaLag: false })).rejects.toMatchObject({
      code: "database_refused",
      message: expect.stringMatching(/lacks a right.*'global_status'/),
    });
  });

  it("without one of the counters leaves that one unknown", async () => {
    const { sessions } = server({ "SHOW GLOBAL STATUS": [{ Variable_name: "Threads_running", Value: "4" }] });
    const sample = await new MariadbHealth(sessions, []).sample({ replicaLag: false });
    expect(sample).toMatchObject({ threadsRunning: 4, lockWaits: null });
  });
});

describe("what is no fault of the statement", () => {
  it("is not taken for a syntax error: the next one is not tried", async () => {
    const timeout = refusal(
      3024,
      "ER_QUERY_TIMEOUT",
      "Query execution was interrupted, maximum time exceeded",
    );
    const slow = server({ "SHOW ALL SLAVES STATUS": timeout }, "replica:3306");
    const sample = await new MariadbHealth(primary().sessions, [slow.sessions]).sample(LAG);
    expect(sample.replicaLagSeconds).toBe(INFINITE);
    expect(sample.replica?.trouble).toMatch(/does not answer/);
    expect(slow.asked).toEqual(["SHOW ALL SLAVES STATUS"]);
  });

  it("of a server that knows none of the statements is said, and they are tried again from the first", async () => {
    const mute = server({}, "replica:3306");
    const health = new MariadbHealth(primary().sessions, [mute.sessions]);
    expect((await health.sample(LAG)).replica?.trouble).toMatch(
      /none of SHOW ALL SLAVES STATUS.* is understood/,
    );
    await health.sample(LAG);
    expect(mute.asked).toHaveLength(6);
  });
});
