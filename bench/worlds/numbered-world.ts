/** A store of numbered objects and the service, each a process of its own, for jobs of any size. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { nodeArguments } from "../../test/support/executable.ts";
import { freePort } from "../../test/support/servers/daemon.ts";
import { SOURCE, type StoreCounts, startStore, storeConfig, TARGET } from "./store-process.ts";

const OBJECT_BYTES = 32;

export interface WorldOptions {
  /** The folder with the compiled program. */
  readonly dist: string;
  readonly objects: number;
  /** Of every request at the store. */
  readonly latencyMs: number;
  /** `mysql://…` with the rows that name the objects; null: no references. */
  readonly databaseUrl: string | null;
}

export interface NumberedWorld {
  readonly serviceUrl: string;
  readonly servicePid: number;
  /** Ends the service gracefully; gives the bytes of its SQLite ledger. */
  stopService(): Promise<number>;
  /** Ends the store; gives what it counted. */
  stopStore(): Promise<StoreCounts>;
  /** Ends whatever still runs, and removes the directory. */
  remove(): void;
}

/** Starts store and service; resolves when the service answers. */
export async function startNumberedWorld(options: WorldOptions): Promise<NumberedWorld> {
  const { dist, objects, latencyMs, databaseUrl } = options;
  const directory = mkdtempSync(join(tmpdir(), "tranship-bench-"));
  const store = await startStore(dist, {
    numbered: `${SOURCE.bucket}/${SOURCE.prefix}:${objects}:${OBJECT_BYTES}`,
    "numbered-target": `${TARGET.bucket}/${TARGET.prefix}:${objects}:${OBJECT_BYTES}`,
    "latency-ms": latencyMs,
  });
  const port = await freePort();
  const [ledger, config] = [join(directory, "ledger.db"), join(directory, "config.json")];
  const given = {
    listen: { host: "127.0.0.1", port },
    logLevel: "warn",
    progress: `sqlite:${ledger}`,
    stores: { main: storeConfig(store.url) },
    databases: databaseUrl === null ? {} : { app: databaseUrl },
  };
  writeFileSync(config, JSON.stringify(given));
  const service = spawn(process.execPath, nodeArguments(dist, ["serve", "--config", config]), {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const remove = () => {
    store.kill();
    service.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  };
  const serviceUrl = `http://127.0.0.1:${port}`;
  try {
    await untilLive(serviceUrl, () => service.exitCode === null);
  } catch (error) {
    remove();
    throw error;
  }
  return {
    serviceUrl,
    servicePid: service.pid ?? 0,
    async stopService() {
      const ended = once(service, "exit");
      service.kill("SIGTERM");
      await ended;
      return statSync(ledger).size;
    },
    stopStore: store.stop,
    remove,
  };
}

async function untilLive(url: string, isRunning: () => boolean): Promise<void> {
  for (let tries = 0; tries < 3000 && isRunning(); tries += 1) {
    const isLive = await fetch(`${url}/health/live`).then(
      (response) => response.ok,
      () => false,
    );
    if (isLive) return;
    await sleep(10);
  }
  throw new Error("the service ended, or did not start within 30 s");
}
