/** The real executable as a child process, reached only by its command line and HTTP, as users reach it. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeArguments } from "./executable.ts";

const DIST = join(import.meta.dirname, "../../dist");

/** What a `tranship` process printed and how it ended. */
export interface Ended {
  /** Exit code, or the name of the signal that ended it. */
  readonly end: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

interface Surroundings {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
}

/** Starts `tranship` with `args`. */
export function spawnTranship(args: readonly string[], options: Surroundings = {}): Running {
  return runNode(process.execPath, nodeArguments(DIST, args), options);
}

/**
 * Starts the Node.js `program` with `args`. A warning of Node's own (`(node:123) …`: a deprecation, a version that a
 * library is about to leave) makes `ended` fail: users would see it in every command.
 */
export function runNode(program: string, args: readonly string[], options: Surroundings = {}): Running {
  const child = spawn(program, [...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdin.end(options.input ?? "");
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (/^\(node:\d+\) /m.test(stderr)) reject(new Error(`Node.js warned:\n${stderr}`));
      else resolve({ end: code ?? signal ?? "unknown", stdout, stderr });
    });
  });
  return { child, ended };
}

/** A directory that goes with the test. */
export function temporaryDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "tranship-acceptance-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A JSON answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what an HTTP client sees is not typed
  readonly body: any;
}

/** `tranship serve`, running. */
export interface Service {
  readonly url: string;
  readonly pid: number;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Waits until `GET /jobs/:id` satisfies `until`. */
  poll(id: string, until: (job: Answer["body"]) => boolean, timeoutMs?: number): Promise<Answer["body"]>;
  kill(signal: NodeJS.Signals): Promise<Ended>;
}

/** Starts `tranship serve` (`start` starts another build of it) on a free port and waits until it answers. */
export async function startService(
  config: Record<string, unknown>,
  directory: string,
  start: typeof spawnTranship = spawnTranship,
): Promise<Service> {
  const port = await freePort();
  const path = join(directory, `config-${port}.json`);
  writeFileSync(path, JSON.stringify({ ...config, listen: { host: "127.0.0.1", port } }));
  const { child, ended } = start(["serve", "--config", path], { cwd: directory });
  const url = `http://127.0.0.1:${port}`;
  await Promise.race([
    untilReady(url),
    ended.then((end) => {
      throw new Error(`serve ended with ${end.end}: ${end.stderr}`);
    }),
  ]);
  const call: Service["call"] = async (method, requestPath, body, headers = {}) => {
    const response = await fetch(url + requestPath, {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = (response.headers.get("content-type") ?? "").includes("json");
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };
  return {
    url,
    pid: child.pid ?? 0,
    call,
    async poll(id, until, timeoutMs = 120_000) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const { body } = await call("GET", `/jobs/${id}`);
        if (until(body)) return body;
        if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${JSON.stringify(body)}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    kill(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

async function untilReady(url: string): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const ready = await fetch(`${url}/health/ready`).then(
      (response) => response.status === 200,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the service did not become ready within 30 s");
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

/** Whether a job's state is an end. */
export function hasEnded(job: { readonly state: string }): boolean {
  return ["completed", "completed_with_exceptions", "failed", "cancelled"].includes(job.state);
}
