/** Starts a one-host Ceph cluster with a RADOS Gateway: a real S3 server for tests, up in about a second. */
import { randomBytes, randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { createRunDirectory, removeRunDirectory } from "../run-directory.ts";
import { type Daemon, freePort, runProgram, startDaemon } from "./daemon.ts";

/** How to reach an S3 server, as plain data so that vitest can hand it to the test processes. */
export interface S3Facts {
  endpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** The cluster's configuration file, for `radosgw-admin`; absent when the server was given from outside. */
  cephConf?: string;
}

/** A running Ceph cluster of the tests' own. */
export interface StartedCeph {
  facts: S3Facts;
  /** Takes the gateway away (in-flight requests break off), leaving the objects in the cluster. */
  kill9Gateway(): Promise<void>;
  /** Brings the gateway back on the same port. */
  restartGateway(): Promise<void>;
  /** Ends the whole cluster, whose objects were in memory only. */
  stop(): Promise<void>;
}

/** Starts a monitor, an OSD that stores in memory, and a gateway with one user. */
export async function startCeph({ dir }: { dir?: string } = {}): Promise<StartedCeph> {
  const runDirectory = dir ?? createRunDirectory();
  const directory = join(runDirectory, "ceph");
  for (const part of ["mon", "osd", "rgw"]) mkdirSync(join(directory, part), { recursive: true });
  const [monitorPort, gatewayPort] = await Promise.all([freePort(), freePort()]);
  const conf = join(directory, "ceph.conf");
  const clusterId = randomUUID();
  writeFileSync(conf, configuration(directory, clusterId, monitorPort, gatewayPort));
  writeFileSync(join(directory, "keyring"), await keyring(), { mode: 0o600 });

  const daemon = (name: string, program: string, args: readonly string[]) =>
    startDaemon({
      name,
      program,
      args: ["-f", "-c", conf, ...args],
      directory: runDirectory,
      logs: [join(directory, `${name}.log`)],
    });
  const startGateway = async () => {
    const gateway = daemon("client.rgw", "radosgw", ["-n", "client.rgw"]);
    await gateway.ready(() => reachable(gatewayPort));
    return gateway;
  };

  const monitor = await startMonitor(directory, clusterId, monitorPort, daemon);
  const osd = await startOsd(conf, daemon);
  // Before the gateway: the first of the two makes the default zone, and they would get in each other's way.
  const facts = await createS3User(
    { endpoint: `http://127.0.0.1:${gatewayPort}`, cephConf: conf },
    "tranship",
  );
  let gateway = await startGateway();
  return {
    facts,
    kill9Gateway: () => gateway.end("SIGKILL"),
    restartGateway: async () => {
      await gateway.end("SIGKILL");
      gateway = await startGateway();
    },
    stop: async () => {
      await Promise.all([gateway, osd, monitor].map((each) => each.end("SIGKILL")));
      removeRunDirectory(dir ? directory : runDirectory);
    },
  };
}

/** Makes a further S3 user, who has no access to the first one's buckets: for tests of denied access. */
export async function createS3User(
  server: Pick<S3Facts, "endpoint" | "cephConf">,
  uid: string,
): Promise<S3Facts> {
  if (server.cephConf === undefined) throw new Error("users can be made only in the tests' own Ceph");
  const accessKeyId = randomBytes(10).toString("hex").toUpperCase();
  const secretAccessKey = randomBytes(20).toString("hex");
  await runProgram("radosgw-admin", [
    ...["-c", server.cephConf, "user", "create", "--uid", uid, "--display-name", uid, "--max-buckets=0"],
    ...["--access-key", accessKeyId, "--secret-key", secretAccessKey],
  ]);
  return {
    endpoint: server.endpoint,
    cephConf: server.cephConf,
    region: "us-east-1",
    accessKeyId,
    secretAccessKey,
  };
}

type StartNamed = (name: string, program: string, args: readonly string[]) => Daemon;

async function startMonitor(directory: string, clusterId: string, port: number, daemon: StartNamed) {
  const map = join(directory, "monmap");
  const conf = join(directory, "ceph.conf");
  await runProgram("monmaptool", [
    "--create",
    "--addv",
    "a",
    `[v2:127.0.0.1:${port}]`,
    "--fsid",
    clusterId,
    map,
  ]);
  const mkfs = ["--mkfs", "--monmap", map, "--keyring", join(directory, "keyring")];
  await runProgram("ceph-mon", ["-c", conf, "-i", "a", ...mkfs]);
  const monitor = daemon("mon.a", "ceph-mon", ["-i", "a"]);
  await monitor.ready(() => reachable(port));
  return monitor;
}

async function startOsd(conf: string, daemon: StartNamed): Promise<Daemon> {
  const uuid = randomUUID();
  await runProgram("ceph", ["-c", conf, "osd", "new", uuid]);
  await Promise.all([
    runProgram("ceph-osd", ["-c", conf, "-i", "0", "--mkfs", "--osd-uuid", uuid]),
    runProgram("ceph", ["-c", conf, "osd", "crush", "add", "osd.0", "1.0", "root=default", "host=h"]),
  ]);
  // Its clients wait for the OSD by themselves.
  return daemon("osd.0", "ceph-osd", ["-i", "0"]);
}

async function reachable(port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}

/** One key for all of the cluster's members, of the kind that its version takes; `ceph-mon --mkfs` takes them over. */
async function keyring(): Promise<string> {
  const key = (await runProgram("ceph-authtool", ["--gen-print-key"])).trim();
  const entries = ["mon.", "client.admin", "client.rgw", "osd.0"].map((name) => {
    const rights = name === "mon." ? ["mon"] : ["mon", "osd", "mgr"];
    return `[${name}]\n key = ${key}\n${rights.map((part) => ` caps ${part} = "allow *"\n`).join("")}`;
  });
  return entries.join("");
}

/**
 * One replica in memory, no manager daemon (the gateway does without), and no waiting for monitors that do not
 * exist: with Ceph's default of a second per map change, making the gateway's pools alone takes ten seconds.
 * tcp_nodelay spares each copy 40 ms of waiting for a delayed acknowledgement. The short watch timeout is for a
 * gateway that was killed: until the cluster forgets it, the next one waits at every change of bucket metadata.
 * Logs keep errors only. Object names go up to S3's 1,024 bytes plus Ceph's own prefix.
 */
function configuration(
  directory: string,
  clusterId: string,
  monitorPort: number,
  gatewayPort: number,
): string {
  return `[global]
fsid = ${clusterId}
mon host = [v2:127.0.0.1:${monitorPort}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr1 = false
ms bind ipv6 = false
keyring = ${directory}/keyring
mon data = ${directory}/mon
osd data = ${directory}/osd
run dir = ${directory}
log file = ${directory}/$name.log
admin socket =
pid file =
paxos propose interval = 0.02
paxos min wait = 0.01
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 17179869184
osd max object name len = 2048
osd max object namespace len = 256
objecter tick interval = 1
osd client watch timeout = 4
debug mon = 0/0
debug paxos = 0/0
debug osd = 0/0
debug rgw = 0/0
debug ms = 0/0
[client.rgw]
keyring = ${directory}/keyring
rgw data = ${directory}/rgw
rgw frontends = beast endpoint=127.0.0.1:${gatewayPort} tcp_nodelay=1
rgw thread pool size = 64
rgw dynamic resharding = false
rgw override bucket index max shards = 1
rgw enable usage log = false
rgw enable quota threads = false
rgw run sync thread = false
rgw crypt require ssl = false
`;
}
