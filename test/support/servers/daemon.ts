/** Starts a server program as a child process, waits until it answers, and reports its log when it does not. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { accessSync, closeSync, constants, openSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

/** What to start: `args` must name a path under `directory`, by which a leftover is known to be ours. */
export interface DaemonSpec {
  name: string;
  program: string;
  args: readonly string[];
  directory: string;
  /** Further log files to quote when the daemon fails. */
  logs?: readonly string[];
}

/** A running server program. */
export interface Daemon {
  pid: number;
  /** Waits until `probe` stops throwing; throws the tail of the log if the daemon ends or 30 s pass. */
  ready(probe: () => Promise<unknown>): Promise<void>;
  /** Sends the signal and waits for the end; a daemon that ignores it for 30 s is killed. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

const readyWithinMs = 30_000;

/** Starts the program in the foreground, as a child of this process, with a pid file in its directory. */
export function startDaemon(spec: DaemonSpec): Daemon {
  const output = join(spec.directory, `${spec.name}.out`);
  const file = openSync(output, "a");
  const [command, args] = dyingWithParent(requireProgram(spec.program), spec.args);
  const child = spawn(command, args, { stdio: ["ignore", file, file] });
  closeSync(file);
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(`ended with ${signal ?? `code ${code}`}`));
  });
  const pid = child.pid ?? 0;
  if (pid > 0) writeFileSync(join(spec.directory, `${spec.name}.pid`), String(pid));
  // A forgotten daemon must not keep the test process alive: the exit hook of its directory ends it.
  child.unref();
  const logs = [output, ...(spec.logs ?? [])];
  return {
    pid,
    ready: (probe) => waitUntilReady(spec.name, probe, ended, logs),
    end: (signal) => endChild(child, signal, ended),
  };
}

/** Runs a program to its end and returns its standard output; a failure quotes what it printed. */
export async function runProgram(program: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(requireProgram(program), [...args], { timeout: 60_000 });
    return stdout;
  } catch (cause) {
    const { stdout = "", stderr = "" } = cause as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(" ")} failed:\n${lastLines(stdout + stderr)}`, { cause });
  }
}

/** Looks for a program on PATH and where servers are kept, which is not on an ordinary user's PATH. */
export function findProgram(program: string): string | undefined {
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter),
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
    "/usr/libexec",
  ];
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

/** A TCP port of 127.0.0.1 that is free at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no TCP port to be had");
  return address.port;
}

async function waitUntilReady(
  name: string,
  probe: () => Promise<unknown>,
  ended: Promise<string>,
  logs: readonly string[],
): Promise<void> {
  let end: string | undefined;
  void ended.then((reason) => {
    end = reason;
  });
  const deadline = Date.now() + readyWithinMs;
  for (;;) {
    try {
      await probe();
      return;
    } catch (cause) {
      if (end === undefined && Date.now() < deadline) await sleep(20);
      else throw new Error(`${name} ${end ?? "does not answer"}${logs.map(quoteLog).join("")}`, { cause });
    }
  }
}

async function endChild(child: ChildProcess, signal: NodeJS.Signals, ended: Promise<string>): Promise<void> {
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), 30_000);
  await ended;
  clearTimeout(timer);
}

/**
 * Has the kernel kill the daemon when this process goes, even by `kill -9` (setpriv replaces itself by the
 * daemon, so the pid stays). Where there is no setpriv the leftover is ended by the next run.
 */
export function dyingWithParent(program: string, args: readonly string[]): [string, string[]] {
  const setpriv = findProgram("setpriv");
  return setpriv ? [setpriv, ["--pdeathsig", "KILL", "--", program, ...args]] : [program, [...args]];
}

function requireProgram(program: string): string {
  const path = findProgram(program);
  if (path === undefined) throw new Error(`${program} is not installed`);
  return path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function quoteLog(path: string): string {
  try {
    return `\n--- end of ${path}\n${lastLines(readFileSync(path, "utf8"))}`;
  } catch {
    return `\n--- no ${path}`;
  }
}

function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-25).join("\n");
}
