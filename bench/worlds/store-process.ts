/** The sandbox store as a process of its own, and what it counted: the benchmark asks the store, never a contender. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const SOURCE = { bucket: "bucket-a", prefix: "image/" } as const;
export const TARGET = { bucket: "bucket-b", prefix: "avatar/" } as const;
export const CREDENTIALS = { accessKeyId: "bench", secretAccessKey: "bench-secret" } as const;
export const REGION = "us-east-1";

/** Options of the store's program, by their names without the dashes; undefined ones are left out. */
export type StoreOptions = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** The counters at one moment, all of them since the start; `ms` is a monotonic clock. */
export interface StoreSample {
  readonly ms: number;
  readonly received: Readonly<Record<string, number>>;
  readonly slowDown: Readonly<Record<string, number>>;
  readonly granted: Readonly<Record<string, number>>;
}

/** What the store says at its end. */
export interface StoreCounts {
  /** Requests received by `Operation bucket`, rejected ones among them. */
  readonly requests: Readonly<Record<string, number>>;
  /** When the first request of each operation arrived, epoch milliseconds. */
  readonly firstAt: Readonly<Record<string, number>>;
  /** Objects in each bucket. */
  readonly objects: Readonly<Record<string, number>>;
  /** Empty unless `timeline-ms` was among the options. */
  readonly timeline: readonly StoreSample[];
}

export interface StoreProcess {
  readonly url: string;
  readonly pid: number;
  /** Ends the store; gives what it counted. */
  stop(): Promise<StoreCounts>;
  /** Ends the store if it still runs; for when something failed. */
  kill(): void;
}

/** Starts a store from the build in `dist`; resolves when it accepts connections. */
export async function startStore(dist: string, options: StoreOptions): Promise<StoreProcess> {
  const { accessKeyId, secretAccessKey } = CREDENTIALS;
  const given: StoreOptions = {
    "access-key-id": accessKeyId,
    "secret-access-key": secretAccessKey,
    region: REGION,
    ...options,
  };
  const args = Object.entries(given).flatMap(([name, value]) =>
    (value === undefined ? [] : [value].flat()).flatMap((one) => [`--${name}`, String(one)]),
  );
  const child = spawn(process.execPath, [join(dist, "src/sandbox-s3/serve-sandbox-store.js"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done) throw new Error(`the store ended with ${child.exitCode ?? child.signalCode}`);
    return line.value;
  };
  const { url } = JSON.parse(await nextLine()) as { readonly url: string };
  return {
    url,
    pid: child.pid ?? 0,
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const counts: StoreCounts = { timeline: [], ...JSON.parse(await nextLine()) };
      await ended;
      return counts;
    },
    kill,
  };
}

/** The store at `endpoint` as a configuration's `stores` has it. */
export function storeConfig(endpoint: string): Record<string, unknown> {
  return { ...CREDENTIALS, endpoint, region: REGION, forcePathStyle: true };
}

/** Requests of every kind, rejected ones among them. */
export function requestsIn({ requests }: StoreCounts): number {
  return Object.values(requests).reduce((sum, count) => sum + count, 0);
}

/** Throws unless the source bucket is empty and the target bucket holds exactly `objects`. */
export function assertMoved(name: string, { objects: left }: StoreCounts, objects: number): void {
  if (left[SOURCE.bucket] === 0 && left[TARGET.bucket] === objects) return;
  throw new Error(`${name} left the objects in the wrong place: ${JSON.stringify(left)}`);
}
