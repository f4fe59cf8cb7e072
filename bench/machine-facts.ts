/** On what the figures were measured. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { findProgram } from "../test/support/servers/daemon.ts";
import { installedPeers, PEERS } from "./peers/debian-peers.ts";

/** Pairs of name and fact. */
export function machineFacts(): (readonly [string, string])[] {
  const processors = cpus();
  const peers = installedPeers();
  return [
    ["date", new Date().toISOString().slice(0, 10)],
    ["processor", `${processors.length} × ${processors[0]?.model ?? "unknown"}`],
    ["memory", `${Math.round(totalmem() / 2 ** 30)} GiB`],
    ["system", `${distribution()}, Linux ${release()}`],
    ["load before the start (1 min)", readFileSync("/proc/loadavg", "utf8").split(" ")[0] ?? ""],
    ["Node.js", process.version],
    ["MariaDB", firstLine(findProgram("mariadbd"), ["--version"])],
    ...PEERS.map(({ name, program, versionArgs }): readonly [string, string] => [
      name,
      peers.some((peer) => peer.name === name) ? firstLine(program, versionArgs) : "not installed",
    ]),
  ];
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux";
  } catch {
    return "Linux";
  }
}

/** Without the path of the program, which says nothing about the machine. */
function firstLine(program: string | undefined, args: readonly string[]): string {
  if (program === undefined) return "not installed";
  const said = execFileSync(program, [...args], { encoding: "utf8", env: { PATH: "/usr/bin:/bin" } });
  return (said.split("\n")[0] ?? "").replaceAll(program, "").trim();
}
