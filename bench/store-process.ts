/** The sandbox store as a process of its own, and what it counted: the benchmark asks the store, never a contender. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const SOURCE = { bucket: "bucket-a", prefix: "image/" } as const;
export const TARGET = { bucket: "bucket-b", prefix: "avatar/" } as const;
export const CREDENTIALS = { accessKeyId: "bench", secretAccessKey: "bench-secret" } as const;
export const REGION = "us-east-1";

export interface StoreOptions {
  readonly objects: number;
  readonly bytes: number;
  /** As if the objects had been uploaded in parts of this size. */
  readonly partBytes?: number;
  /** Before each answer. */
  readonly latencyMs: number;
  /** Writes a second that each bucket takes. */
  readonly writeBudget?: number;
  /** Speed of each single copy; copies take no time unless given. */
  readonly copyBytesPerSecond?: number;
}

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
  readonly errors: Readonly<Record<string, number>>;
  /** Objects in each bucket. */
  readonly objects: Readonly<Record<string, number>>;
  readonly timeline: readonly StoreSample[];
}

export interface StoreProcess {
  readonly url: string;
  /** Ends the store; gives what it counted. */
  stop(): Promise<StoreCounts>;
  /** Ends the store if it still runs; for when something failed. */
  kill(): void;
}

const SAMPLE_EVERY_MS = 50;

/** Starts a store that holds the source objects; resolves when it accepts connections. */
export async function startStore(options: StoreOptions): Promise<StoreProcess> {
  const program = fileURLToPath(new URL("../src/sandbox-s3/serve-sandbox-store.js", import.meta.url));
  const child = spawn(process.execPath, [program, ...argumentsOf(options)], {
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
    async stop() {
      const ended = endOf(child);
      child.kill("SIGTERM");
      const counts = JSON.parse(await nextLine()) as StoreCounts;
      await ended;
      return counts;
    },
    kill,
  };
}

function argumentsOf(options: StoreOptions): string[] {
  const { objects, bytes, partBytes, latencyMs, writeBudget, copyBytesPerSecond } = options;
  const seed = [`${SOURCE.bucket}/${SOURCE.prefix}`, objects, bytes, ...(partBytes ? [partBytes] : [])];
  const given: Record<string, string | number | undefined> = {
    buckets: `${SOURCE.bucket},${TARGET.bucket}`,
    "access-key-id": CREDENTIALS.accessKeyId,
    "secret-access-key": CREDENTIALS.secretAccessKey,
    region: REGION,
    "latency-ms": latencyMs,
    "write-budget": writeBudget,
    "copy-bytes-per-second": copyBytesPerSecond,
    "timeline-ms": SAMPLE_EVERY_MS,
    seed: seed.join(":"),
  };
  return Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, String(value)],
  );
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}
