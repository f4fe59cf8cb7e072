/** A store of numbered objects and the service, each a process of its own, for jobs of any size. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { nodeArguments } from "../test/support/executable.ts";

export const SOURCE = { bucket: "bucket-a", prefix: "image/" };
export const TARGET = { bucket: "bucket-b", prefix: "avatar/" };
const OBJECT_BYTES = 32;
const CREDENTIALS = { accessKeyId: "bench", secretAccessKey: "bench-secret" };

export interface WorldOptions {
  /** The folder with the compiled program. */
  readonly dist: string;
  readonly objects: number;
  /** Of every request at the store. */
  readonly latencyMs: number;
  /** `mysql://…` with the rows that name the objects; null: no references. */
  readonly databaseUrl: string | null;
  /** `sqlite:FILE` in a directory of the world's own unless given. */
  readonly progress?: string;
}

/** What the store says at its end. */
export interface StoreCounts {
  /** Requests by `Operation bucket`. */
  readonly requests: Readonly<Record<string, number>>;
  /** When the first request of each operation arrived, epoch milliseconds. */
  readonly firstAt: Readonly<Record<string, number>>;
  /** Objects in each bucket. */
  readonly objects: Readonly<Record<string, number>>;
}

export interface NumberedWorld {
  readonly serviceUrl: string;
  readonly servicePid: number;
  /** Epoch milliseconds at which the service's process was started. */
  readonly startedAt: number;
  /** Ends the service gracefully; gives the bytes of its SQLite ledger. */
  stopService(): Promise<number>;
  /** Ends the store; gives what it counted. */
  stopStore(): Promise<StoreCounts>;
  /** Ends whatever still runs, and removes the directory. */
  remove(): void;
}

/** Starts store and service; resolves when the service answers. */
export async function startNumberedWorld(options: WorldOptions): Promise<NumberedWorld> {
  const directory = mkdtempSync(join(tmpdir(), "tranship-bench-"));
  const store = startStore(options);
  const children: ChildProcess[] = [store.child];
  const remove = () => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const { url } = JSON.parse(await store.nextLine()) as { url: string };
    const port = await freePort();
    const ledger = join(directory, "ledger.db");
    const config = join(directory, "config.json");
    writeFileSync(config, JSON.stringify(configOf(options, url, port, ledger)));
    const startedAt = Date.now();
    const service = start(nodeArguments(options.dist, ["serve", "--config", config]));
    children.push(service);
    const serviceUrl = `http://127.0.0.1:${port}`;
    await untilReady(serviceUrl, service);
    return {
      serviceUrl,
      servicePid: service.pid ?? 0,
      startedAt,
      async stopService() {
        await end(service);
        return options.progress === undefined ? statSync(ledger).size : 0;
      },
      async stopStore() {
        const [line] = await Promise.all([store.nextLine(), end(store.child)]);
        return JSON.parse(line) as StoreCounts;
      },
      remove,
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function configOf({ databaseUrl, progress }: WorldOptions, endpoint: string, port: number, ledger: string) {
  return {
    listen: { host: "127.0.0.1", port },
    logLevel: "warn",
    progress: progress ?? `sqlite:${ledger}`,
    stores: { main: { region: "us-east-1", endpoint, forcePathStyle: true, ...CREDENTIALS } },
    databases: databaseUrl === null ? {} : { app: databaseUrl },
  };
}

function startStore({ dist, objects, latencyMs }: WorldOptions) {
  const keys = ({ bucket, prefix }: typeof SOURCE) => `${bucket}/${prefix}:${objects}:${OBJECT_BYTES}`;
  const child = start([
    join(dist, "src/sandbox-s3/serve-sandbox-store.js"),
    ...["--numbered", keys(SOURCE), "--numbered-target", keys(TARGET)],
    ...["--access-key-id", CREDENTIALS.accessKeyId, "--secret-access-key", CREDENTIALS.secretAccessKey],
    ...["--latency-ms", String(latencyMs)],
  ]);
  const lines = createInterface({ input: child.stdout ?? process.stdin })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done === true) throw new Error("the store ended early");
    return line.value;
  };
  return { child, nextLine };
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [...args], { stdio: ["ignore", "pipe", "inherit"] });
}

function end(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null) return Promise.resolve();
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  return ended;
}

async function untilReady(url: string, service: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 3000; tries += 1) {
    if (service.exitCode !== null) throw new Error(`the service ended with ${service.exitCode}`);
    const ready = await fetch(`${url}/health/live`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await sleep(10);
  }
  throw new Error("the service did not start within 30 s");
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
