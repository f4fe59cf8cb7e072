/** Installs the peers from Debian's packages where that can be done from here; otherwise says what to run. */

import { execFileSync } from "node:child_process";
import { findProgram } from "../../test/support/servers/daemon.ts";
import { installedPeers, PEERS } from "./debian-peers.ts";

/** Throws what to run when a peer is missing and cannot be installed. */
export function installPeers(tell: (line: string) => void): void {
  const missing = missingPackages();
  if (missing.length === 0) return;
  const advice = `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  const prefix = rootPrefix();
  if (prefix === undefined) {
    throw new Error(
      `Peers are not installed. Run\n  ${advice}\nor give --no-peers to measure Tranship alone.`,
    );
  }
  tell(`installing ${missing.join(" ")} …`);
  aptGet(prefix, ["update"]);
  aptGet(prefix, ["install", "-y", "--no-install-recommends", ...missing]);
  // What counts is whether the programs are there now: `apt-get update` also fails for one source among many.
  if (missingPackages().length > 0) throw new Error(`Installing failed. Run\n  ${advice}`);
}

function missingPackages(): string[] {
  const present = new Set(installedPeers().map(({ name }) => name));
  return PEERS.filter(({ name }) => !present.has(name)).map((peer) => peer.package);
}

function rootPrefix(): string[] | undefined {
  if (findProgram("apt-get") === undefined) return undefined;
  if (process.getuid?.() === 0) return [];
  try {
    execFileSync("sudo", ["-n", "true"], { stdio: "ignore" });
    return ["sudo", "-n"];
  } catch {
    return undefined;
  }
}

function aptGet(prefix: readonly string[], args: readonly string[]): void {
  const command = [...prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", ...args];
  const [program = "", ...rest] = command;
  try {
    execFileSync(program, rest, { stdio: ["ignore", "ignore", "inherit"] });
  } catch {
    // Looked at afterwards, by whether the programs are there.
  }
}
