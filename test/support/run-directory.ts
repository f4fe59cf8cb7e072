/** Private directories for test daemons, and the clearing up of those which a killed test run left behind. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

// One root per user, so that a run as root and a run as somebody else never meet.
const root = join(tmpdir(), `tranship-parts-${process.getuid?.() ?? 0}`);

/**
 * Makes a directory which is removed, with every daemon that has a pid file in it, when this process exits.
 *
 * The name stays short because a Unix socket path may have at most 107 characters.
 */
export function createRunDirectory(): string {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const owner = statSync(root).uid;
  if (process.getuid && owner !== process.getuid()) throw new Error(`${root} belongs to user ${owner}`);
  reapLeftovers();
  const directory = mkdtempSync(join(root, `${process.pid}-${startTime(process.pid) ?? 0}-`));
  process.once("exit", () => removeRunDirectory(directory));
  return directory;
}

/** Ends every daemon with a pid file in the directory, then removes it. Does nothing when it is gone. */
export function removeRunDirectory(directory: string): void {
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory).filter((entry) => entry.endsWith(".pid"))) {
    const pid = Number(readFileSync(join(directory, name), "utf8"));
    if (pid > 1 && isDaemonOf(directory, pid)) killNow(pid);
  }
  // A daemon may write its last files while the removal is under way, hence the retries.
  rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

/** Ends the daemons, and removes the directories, of test runs which are no longer there (killed with -9). */
export function reapLeftovers(): void {
  if (!existsSync(root)) return;
  for (const entry of readdirSync(root)) {
    const [pid = "0", started = "0"] = basename(entry).split("-");
    if ((startTime(Number(pid)) ?? "gone") !== started) removeRunDirectory(join(root, entry));
  }
}

/**
 * Whether the process still is the daemon that the pid file named: pids are used again, and a test set-up that
 * kills a stranger would be worse than one that leaves a daemon. Each daemon has its directory in its arguments.
 */
function isDaemonOf(directory: string, pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(directory);
  } catch {
    return false;
  }
}

/** When the process started, in clock ticks since boot (field 22 of proc(5) stat): tells a pid's two uses apart. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command name, in parentheses, may itself hold spaces and parentheses: count from the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function killNow(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
