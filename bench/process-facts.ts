/** What Linux says of a running process: its memory and its CPU time (proc(5)). */

import { readFileSync } from "node:fs";

/** Clock ticks a second, in which Linux tells CPU times on every platform Node runs on. */
const TICKS_PER_SECOND = 100;

/** Megabytes of 2^20 bytes. */
export interface ProcessMemory {
  readonly residentMb: number;
  /** The most since the process started. */
  readonly peakMb: number;
}

/** The resident memory of process `pid`; throws once it has ended. */
export function memoryOf(pid: number): ProcessMemory {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const megabytes = (name: string) => {
    const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status);
    if (match === null) throw new Error(`/proc/${pid}/status has no ${name}: the process has ended`);
    return Number(match[1]) / 1024;
  };
  return { residentMb: megabytes("VmRSS"), peakMb: megabytes("VmHWM") };
}

/** Milliseconds of CPU that all threads of process `pid` have used, in user and system mode. */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The command name, in parentheses, may itself hold spaces and parentheses: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}
