/**
 * Debian systems of other releases in folders of a cache, made by debootstrap, and starters that run their programs as if
 * they were installed here. Root alone may make and enter them.
 */

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "tranship", "debian");

/** A release, as the archive names it, and the packages that are wanted of it. */
export interface DebianTree {
  readonly suite: string;
  readonly packages: readonly string[];
}

/** The folder of a tree that is made at the first call and kept; to renew it, remove the folder. */
export async function debianTree({ suite, packages }: DebianTree): Promise<string> {
  const root = join(CACHE, [suite, ...packages].join("+"));
  if (existsSync(root)) return root;
  const mirror = debianMirror();
  // Under another name until it is complete: one that was broken off is not taken for the tree.
  const unfinished = `${root}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(CACHE, { recursive: true });
  process.stderr.write(`making Debian ${suite} with ${packages.join(", ")} in ${root}\n`);
  await runContained(["debootstrap", "--variant=minbase", suite, unfinished, mirror]);
  const install = ["apt-get", "-q", "install", "-y", "--no-install-recommends", ...packages];
  await runContained(
    entering(
      unfinished,
      ["/proc", "/dev", "/sys"],
      ["env", "DEBIAN_FRONTEND=noninteractive", "SYSTEMD_OFFLINE=1", ...install],
    ),
  );
  writeFileSync(join(unfinished, "etc/hosts"), "127.0.0.1 localhost\n");
  rmSync(join(unfinished, "var/cache/apt/archives"), { recursive: true, force: true });
  renameSync(unfinished, root);
  return root;
}

/**
 * Writes a starter for each of `programs` of the tree at `root` into `folder`, which is to be put on PATH. A started program has the
 * starter's process id, arguments and signals. It sees /proc, /dev and the folder for temporary files of this machine;
 * these mounts are its own and go with it.
 */
export function writeStarters(root: string, programs: readonly string[], folder: string): void {
  for (const program of programs)
    writeFileSync(join(folder, program), starter(root, program), { mode: 0o755 });
}

function starter(root: string, program: string): string {
  const command = entering(
    root,
    ["/proc", "/dev", tmpdir()],
    ["env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", program],
  );
  return `#!/bin/sh\nexec unshare --mount ${command.map(quoted).join(" ")} "$@"\n`;
}

/** Runs `command` in the tree with folders of this machine, in a process that has mounts of its own. */
function entering(root: string, folders: readonly string[], command: readonly string[]): readonly string[] {
  const mounts = folders.map((folder) => {
    const [from, to] = [folder, join(root, folder)].map(quoted);
    return `mkdir -p ${to} && mount --rbind ${from} ${to} && `;
  });
  return ["sh", "-c", `${mounts.join("")}exec chroot ${quoted(root)} "$@"`, "sh", ...command];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Where apt gets this machine's own Debian from, its security updates aside. */
function debianMirror(): string {
  const format = "$(ORIGIN) $(LABEL) $(REPO_URI)";
  const targets = execFileSync("apt-get", ["indextargets", "--format", format, "Created-By: Packages"], {
    encoding: "utf8",
  });
  const [, mirror] = /^Debian Debian (\S+)$/m.exec(targets) ?? [];
  if (mirror === undefined)
    throw new Error("apt has no Debian archive among its sources, or apt-get update was never run");
  return mirror;
}

/** Runs a command whose mounts and processes end with it, and with this process, however that ends. */
async function runContained(command: readonly string[]): Promise<void> {
  const contained = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", ...command];
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...contained], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-4000);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`${command.join(" ")} failed:\n${output}`);
}
