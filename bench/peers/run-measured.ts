/** Runs a program to its end and says what it took, as Linux counts it: nothing is asked of the program. */

import { spawn } from "node:child_process";
import { childrenCpuMs, memoryOf } from "./process-facts.ts";

export interface MeasuredCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** The whole environment: nothing of the caller's own leaks in. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface ProcessCost {
  readonly seconds: number;
  /** User and system time of the process and of all it waited for, in milliseconds; exact to 10. */
  readonly cpuMs: number;
  /** The most resident memory, in MiB, as seen by looking every 50 ms. */
  readonly peakMb: number;
}

const LOOK_EVERY_MS = 50;
const QUOTED_CHARACTERS = 2000;

/**
 * Runs one command; only one at a time, since the CPU time of children that have ended is one sum. Throws with the
 * end of what the program said when it fails or takes longer than `timeoutMs`.
 */
export async function runMeasured(command: MeasuredCommand, timeoutMs: number): Promise<ProcessCost> {
  const cpuBefore = childrenCpuMs();
  const startedAt = performance.now();
  const { program, args, env, cwd } = command;
  const child = spawn(program, args, { cwd, env: { ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-QUOTED_CHARACTERS);
    });
  }
  let peakMb = 0;
  const looking = setInterval(() => {
    peakMb = Math.max(peakMb, peakOf(child.pid));
  }, LOOK_EVERY_MS);
  const timeout = setTimeout(kill, timeoutMs);
  const end = await new Promise<string | number | null>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? code));
  });
  const seconds = (performance.now() - startedAt) / 1000;
  clearInterval(looking);
  clearTimeout(timeout);
  process.off("exit", kill);
  if (end !== 0) throw new Error(`${program} ended with ${end} after ${seconds.toFixed(1)} s:\n${said}`);
  return { seconds, cpuMs: childrenCpuMs() - cpuBefore, peakMb };
}

/** 0 for a process that has just ended. */
function peakOf(pid: number | undefined): number {
  try {
    return memoryOf(pid ?? 0).peakMb;
  } catch {
    return 0;
  }
}
