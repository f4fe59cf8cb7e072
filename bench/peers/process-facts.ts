/** What Linux says of a process: its memory and its CPU time (proc(5)). */

import { readFileSync } from "node:fs";

/** Linux tells CPU times in ticks, 100 a second on every platform Node runs on. */
const MS_PER_TICK = 10;

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
  return ticksOf(String(pid), 11) * MS_PER_TICK;
}

/** The same of all children of this process that have ended and been waited for, theirs included. */
export function childrenCpuMs(): number {
  return ticksOf("self", 13) * MS_PER_TICK;
}

/** The sum of two neighbouring fields of `/proc/PID/stat`, counted from behind the command's name. */
function ticksOf(process: string, field: number): number {
  const stat = readFileSync(`/proc/${process}/stat`, "utf8");
  // The command name, in parentheses, may itself hold spaces and parentheses: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[field]) + Number(fields[field + 1]);
}
