/** Starts a private, throwaway MariaDB or MySQL server and makes fresh databases in a server. */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { createRunDirectory, removeRunDirectory } from "../run-directory.ts";
import { freePort, runProgram, startDaemon } from "./daemon.ts";

/** Which server {@link startMariadb} starts: MariaDB, unless TRANSHIP_TEST_SQL_SERVER says `mysql`. */
export function sqlServer(): "mariadb" | "mysql" {
  return process.env.TRANSHIP_TEST_SQL_SERVER === "mysql" ? "mysql" : "mariadb";
}

/** A running server of the tests' own. */
export interface StartedMariadb {
  /** `mysql://tranship:…@127.0.0.1:port`, with all rights; the same after a restart. */
  url: string;
  /** Orderly shutdown; the data stays for `restart`. */
  stop(): Promise<void>;
  /** Ends the server as a crash would; the data stays for `restart`. */
  kill9(): Promise<void>;
  /** Starts it again on the same data and port, after an orderly stop if it still runs. */
  restart(): Promise<void>;
  /** Ends the server and removes its data. */
  dispose(): Promise<void>;
}

/** How to start the server: `settings` are further lines of its option file, such as `max_connections=20`. */
export interface MariadbOptions {
  dir?: string;
  settings?: readonly string[];
}

/** Starts a server with its own data directory, port and socket. */
export async function startMariadb(options: MariadbOptions = {}): Promise<StartedMariadb> {
  const runDirectory = options.dir ?? createRunDirectory();
  const directory = join(runDirectory, "mariadb");
  mkdirSync(join(directory, "tmp"), { recursive: true });
  const password = randomBytes(12).toString("hex");
  const port = await freePort();
  const url = `mysql://tranship:${password}@127.0.0.1:${port}`;
  const optionFile = join(directory, "my.cnf");
  const accountsFile = join(directory, "init.sql");
  writeFileSync(accountsFile, accounts(password), { mode: 0o600 });
  writeFileSync(optionFile, optionText(directory, port, options.settings ?? []));
  const { program, install } = PROGRAMS[sqlServer()];
  await runProgram(install[0], [`--defaults-file=${optionFile}`, ...install.slice(1)]);

  const start = async () => {
    const started = startDaemon({
      name: "mariadb",
      program,
      args: [`--defaults-file=${optionFile}`, `--init-file=${accountsFile}`],
      directory: runDirectory,
    });
    await started.ready(async () => {
      const connection = await createConnection(url);
      await connection.end();
    });
    return started;
  };
  let daemon = await start();
  return {
    url,
    stop: () => daemon.end("SIGTERM"),
    kill9: () => daemon.end("SIGKILL"),
    restart: async () => {
      await daemon.end("SIGTERM");
      daemon = await start();
    },
    dispose: async () => {
      await daemon.end("SIGKILL");
      removeRunDirectory(options.dir ? directory : runDirectory);
    },
  };
}

const PROGRAMS = {
  mariadb: {
    program: "mariadbd",
    install: ["mariadb-install-db", "--auth-root-authentication-method=normal", "--skip-test-db"],
    withoutRoot: "DELETE FROM mysql.global_priv WHERE User = 'root';",
    settings: ["innodb_log_file_size=128M"],
  },
  mysql: {
    program: "mysqld",
    install: ["mysqld", "--initialize-insecure"],
    withoutRoot: "DROP USER IF EXISTS root@localhost;",
    settings: ["innodb_redo_log_capacity=256M", "mysqlx=OFF"],
  },
} as const;

/** A database of a test file's own. */
export interface TestDatabase {
  name: string;
  /** `mysql://user:password@host:port/name` */
  url: string;
  drop(): Promise<void>;
}

/** Makes an empty utf8mb4 database in the server, under a name that no other test has. */
export async function createDatabase(
  serverUrl: string,
  { collation = "utf8mb4_general_ci" }: { collation?: string } = {},
): Promise<TestDatabase> {
  const name = `tranship_${randomBytes(6).toString("hex")}`;
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  await withConnection(serverUrl, (connection) =>
    connection.query(`CREATE DATABASE \`${name}\` CHARACTER SET utf8mb4 COLLATE ${collation}`),
  );
  const drop = () =>
    withConnection(serverUrl, async (connection) => {
      // A connection that a test left open with a lock would make the drop wait for a day.
      await connection.query("SET lock_wait_timeout = 10");
      await connection.query(`DROP DATABASE IF EXISTS \`${name}\``);
    });
  return { name, url: url.href, drop };
}

/** Whether the server is MySQL; MariaDB names itself in its version. */
export async function isMysql(url: string): Promise<boolean> {
  let version: unknown;
  await withConnection(url, async (connection) => {
    const [[row]] = await connection.query<RowDataPacket[]>("SELECT VERSION() AS version");
    version = row?.version;
  });
  return !/mariadb/i.test(String(version));
}

async function withConnection(
  url: string,
  work: (connection: Connection) => Promise<unknown>,
): Promise<void> {
  const connection = await createConnection(url);
  try {
    await work(connection);
  } finally {
    await connection.end();
  }
}

/** Runs at every start, so it must bear being run again. Root keeps no way in over TCP without a password. */
function accounts(password: string): string {
  return [
    `CREATE USER IF NOT EXISTS tranship@'%' IDENTIFIED BY '${password}';`,
    "GRANT ALL PRIVILEGES ON *.* TO tranship@'%' WITH GRANT OPTION;",
    PROGRAMS[sqlServer()].withoutRoot,
    "FLUSH PRIVILEGES;",
    "",
  ].join("\n");
}

/**
 * Settings that keep a kill test honest and the server quick.
 *
 * - flush_log_at_trx_commit=2 hands the log to the kernel at every commit and syncs it once a second. What the
 *   kernel has outlives `kill -9` of the server, so a commit that was answered is there after a restart, as with
 *   1; only a power cut tells them apart, and a test cannot cut the power.
 * - The doublewrite buffer stays on: `kill -9` in the middle of a page write can tear the page.
 * - tmpdir is the server's own: at its start it deletes every `#sql*` file there, another running server's too.
 * - The isolation level, SQL mode and lock timeout stay at the server's own defaults, as an operator has them.
 */
function optionText(directory: string, port: number, settings: readonly string[]): string {
  return [
    `[${PROGRAMS[sqlServer()].program}]`,
    `datadir=${join(directory, "data")}`,
    `tmpdir=${join(directory, "tmp")}`,
    `socket=${join(directory, "s.sock")}`,
    `pid_file=${join(directory, "mariadbd.pid")}`,
    "bind_address=127.0.0.1",
    `port=${port}`,
    ...(process.getuid?.() === 0 ? ["user=root"] : []),
    "skip_name_resolve=1",
    "skip_log_bin=1",
    "character_set_server=utf8mb4",
    "collation_server=utf8mb4_general_ci",
    "innodb_flush_log_at_trx_commit=2",
    "innodb_buffer_pool_size=256M",
    "innodb_fast_shutdown=1",
    "max_connections=400",
    ...PROGRAMS[sqlServer()].settings,
    ...settings,
    "",
  ].join("\n");
}
