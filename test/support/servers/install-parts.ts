/** Installs the servers that the tests need, or says how to. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { findProgram } from "./daemon.ts";

/** A server the tests need: the programs it shows by, the Debian packages it comes in, how to do without. */
interface Part {
  programs: readonly string[];
  packages: readonly string[];
  instead?: string;
}

const SQL_URL = "TRANSHIP_TEST_MARIADB_URL=mysql://user:password@host:port (a user who may create databases)";

/** The first of the programs tells the version. */
export const parts = {
  mariadb: {
    programs: ["mariadbd", "mariadb-install-db"],
    packages: ["mariadb-server"],
    instead: SQL_URL,
  },
  mysql: { programs: ["mysqld"], packages: ["mysql-server"], instead: SQL_URL },
  ceph: {
    programs: ["ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin"],
    packages: ["radosgw", "ceph-mon", "ceph-osd", "ceph-common"],
    instead:
      "TRANSHIP_TEST_S3_URL=http://host:port with TRANSHIP_TEST_S3_ACCESS_KEY and TRANSHIP_TEST_S3_SECRET_KEY",
  },
  debootstrap: { programs: ["debootstrap"], packages: ["debootstrap"] },
} as const satisfies Record<string, Part>;

/** What tests can have installed. */
export type PartName = keyof typeof parts;

/** Installs those of the named servers that are missing; throws what to do when that cannot be done from here. */
export async function installParts(names: readonly PartName[]): Promise<void> {
  const missing = names.map((name): Part => parts[name]).filter(isMissing);
  if (missing.length === 0) return;
  const packages = missing.flatMap((part) => part.packages);
  const advice = [
    `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages.join(" ")}`,
    ...missing.flatMap(({ instead }) => (instead === undefined ? [] : [`or set ${instead}`])),
  ].join("\n  ");
  const prefix = await rootPrefix();
  if (prefix === undefined)
    throw new Error(`The tests need servers that are not installed. Run\n  ${advice}`);
  process.stderr.write(`installing ${packages.join(" ")} …\n`);
  const updated = await aptGet(prefix, "update");
  const installed = await aptGet(prefix, "install", "-y", "--no-install-recommends", ...packages);
  // What counts is whether the programs are there now: `apt-get update` also fails for one source among many.
  if (missing.some(isMissing)) {
    const output = `${updated}${installed}`.slice(-2000);
    throw new Error(`Installing failed:\n${output}\nRun\n  ${advice}`);
  }
}

function isMissing(part: Part): boolean {
  return !part.programs.every((program) => findProgram(program) !== undefined);
}

/** What to put before a command to run it as root, or undefined when that would ask for a password. */
async function rootPrefix(): Promise<string[] | undefined> {
  if (findProgram("apt-get") === undefined) return undefined;
  if (process.getuid?.() === 0) return [];
  try {
    await promisify(execFile)("sudo", ["-n", "true"]);
    return ["sudo", "-n"];
  } catch {
    return undefined;
  }
}

/**
 * Runs apt-get and returns all that it printed, whether it failed or not.
 *
 * RUNLEVEL=1 keeps a sysvinit host from starting the package's own service. Under systemd it starts, and does
 * no harm: the tests' server has its own data, port and socket.
 */
async function aptGet(prefix: readonly string[], ...args: readonly string[]): Promise<string> {
  const environment = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"];
  const command = [...prefix, ...environment, "apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", ...args];
  const [program = "", ...rest] = command;
  return new Promise((resolve) => {
    execFile(program, rest, { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      resolve(`${stdout}${stderr}${error ? `${error.message}\n` : ""}`);
    });
  });
}
