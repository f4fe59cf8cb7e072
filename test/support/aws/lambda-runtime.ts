/**
 * Runs the package of a function as Lambda does: environments that take one invocation at a time, stay warm, are frozen
 * between invocations, and end when their time is over or they are killed. See docs/aws/doubles-lambda.md.
 */

import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { type Cut, type Environment, failure, type Invoked, startEnvironment } from "./lambda-environment.ts";

/** What happens to one invocation instead of its running undisturbed; `error`: the function is not run at all. */
export type Disturbance = Cut | { readonly kind: "error" };

export interface LambdaOptions {
  /** As `tranship aws package` writes it. */
  readonly zip: Uint8Array;
  /** `FILE.EXPORT`. */
  readonly handler: string;
  /** Credentials, Region, endpoints; nothing of this process's environment is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Environments at most. */
  readonly concurrency?: number;
  /** What becomes of an invocation for which no environment is free. */
  readonly whenBusy?: "wait" | "throttle";
  /** Called with the number (1, 2, …) of each invocation that is not throttled. */
  readonly disturb?: (count: number) => Disturbance | null;
}

/** Events are JSON; so are the payloads of answers, parsed. */
export interface LambdaRuntime {
  invoke(event: unknown): Promise<Invoked>;
  /** Kills all environments that work on an event (`idle`: the others) with -9; gives how many there were. */
  kill(which?: "busy" | "idle"): number;
  /** Environments that were ever started. */
  readonly started: number;
  /** Invocations that work now, and the most that did at once. */
  readonly busy: number;
  readonly mostBusy: number;
  /** What the environments have printed. */
  log(): string;
  /** Kills all environments; invocations under way end as function errors. */
  close(): Promise<void>;
}

export function startLambda(options: LambdaOptions): LambdaRuntime {
  const { concurrency = 10, whenBusy = "wait", timeoutMs = 60_000, disturb = () => null } = options;
  const root = mkdtempSync(join(tmpdir(), "tranship-lambda-"));
  for (const [name, content] of Object.entries(unzipSync(options.zip)))
    writeFileSync(join(root, name), content);

  const environments = new Set<Environment>();
  /** Warm and frozen ones. */
  const idle: Environment[] = [];
  const waiting: (() => void)[] = [];
  let output = "";
  let taken = 0;
  let started = 0;
  let mostBusy = 0;
  let count = 0;
  let isClosed = false;

  const takeEnvironment = async (): Promise<Environment> => {
    for (let one = idle.pop(); one !== undefined; one = idle.pop()) if (!one.isEnding) return one;
    started += 1;
    const fresh = await startEnvironment({
      root,
      handler: options.handler,
      env: options.env ?? {},
      onOutput: (text) => {
        output += text;
      },
    });
    environments.add(fresh);
    void fresh.ended.then(() => environments.delete(fresh));
    if (isClosed) fresh.kill();
    return fresh;
  };

  /** Takes one of `concurrency` places; false: throttled. */
  const takePlace = async (): Promise<boolean> => {
    while (taken >= concurrency && !isClosed) {
      if (whenBusy === "throttle") return false;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    taken += 1;
    mostBusy = Math.max(mostBusy, taken);
    return !isClosed;
  };

  const run = async (event: unknown): Promise<Invoked> => {
    count += 1;
    const disturbance = disturb(count);
    if (disturbance?.kind === "error") return failure("Error", "disturbed by the test");
    const cut: Cut = disturbance ?? { kind: "timeout", afterMs: timeoutMs };
    const environment = await takeEnvironment();
    const invoked = await environment.run({
      id: randomUUID(),
      event: JSON.stringify(event),
      timeoutMs,
      cut,
    });
    idle.push(environment);
    return invoked;
  };

  return {
    async invoke(event) {
      if (!(await takePlace())) return failure("TooManyRequestsException", "Rate Exceeded.");
      try {
        return await run(event);
      } finally {
        taken -= 1;
        waiting.shift()?.();
      }
    },
    kill(which = "busy") {
      const killed = [...environments].filter((one) => idle.includes(one) === (which === "idle"));
      for (const one of killed) one.kill();
      return killed.length;
    },
    get started() {
      return started;
    },
    get busy() {
      return taken;
    },
    get mostBusy() {
      return mostBusy;
    },
    log: () => output,
    async close() {
      isClosed = true;
      for (const resume of waiting.splice(0)) resume();
      const all = [...environments];
      for (const one of all) one.kill();
      await Promise.all(all.map((one) => one.ended));
      rmSync(root, { recursive: true, force: true });
    },
  };
}
