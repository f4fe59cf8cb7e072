/**
 * One execution environment of a function: a process that speaks the Runtime API (three HTTP calls) with a server of its
 * own, and is frozen while it has no event.
 */

import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { dyingWithParent } from "../servers/daemon.ts";

const BOOTSTRAP = join(import.meta.dirname, "lambda-bootstrap.mjs");
const ARN = "arn:aws:lambda:us-east-1:123456789012:function:tranship-test:1";

/** As the Invoke API answers: `functionError` is the error's JSON, of a function that threw or did not end by itself. */
export type Invoked =
  | { readonly payload: unknown }
  | { readonly functionError: { readonly errorType: string; readonly errorMessage: string } };

/** How an invocation is ended before it has answered, so many ms after the process was given the event. */
export interface Cut {
  /** By kill -9 of the process, or as at the end of the function's time. */
  readonly kind: "kill" | "timeout";
  readonly afterMs: number;
}

export interface Invocation {
  readonly id: string;
  /** JSON. */
  readonly event: string;
  /** What the function is told. */
  readonly timeoutMs: number;
  readonly cut: Cut;
}

export interface EnvironmentOptions {
  /** Where the package was unpacked. */
  readonly root: string;
  readonly handler: string;
  readonly env: Readonly<Record<string, string>>;
  onOutput(text: string): void;
}

export interface Environment {
  /** It was killed, or its process has ended. */
  readonly isEnding: boolean;
  /** Resolves when the function has answered, or was ended; one invocation at a time. */
  run(invocation: Invocation): Promise<Invoked>;
  kill(): void;
  readonly ended: Promise<void>;
}

export function failure(errorType: string, errorMessage: string): Invoked {
  return { functionError: { errorType, errorMessage } };
}

/** Starts the process; it takes an invocation at once. */
export async function startEnvironment(options: EnvironmentOptions): Promise<Environment> {
  let current: { readonly invocation: Invocation; settle(answer: Invoked): void } | null = null;
  let next: ServerResponse | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isEnding = false;

  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const child = startProcess(options, (server.address() as AddressInfo).port);

  const kill = () => {
    isEnding = true;
    child.kill("SIGKILL");
  };
  const settle = (answer: Invoked) => {
    clearTimeout(timer);
    const settled = current;
    current = null;
    settled?.settle(answer);
  };
  const ended = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  }).then(() => {
    isEnding = true;
    server.closeAllConnections();
    server.close();
    settle(failure("Runtime.ExitError", "RequestId: Error: Runtime exited with error: signal: killed"));
  });

  /** Freezes the process while it waits for an event, and gives it the event when both are there. */
  const dispatch = () => {
    if (next === null) return;
    if (current === null) {
      child.kill("SIGSTOP");
      return;
    }
    const { id, event, timeoutMs, cut } = current.invocation;
    next.writeHead(200, {
      "content-type": "application/json",
      "lambda-runtime-aws-request-id": id,
      "lambda-runtime-deadline-ms": String(Date.now() + timeoutMs),
      "lambda-runtime-invoked-function-arn": ARN,
    });
    next.end(event);
    next = null;
    child.kill("SIGCONT");
    timer = setTimeout(() => {
      kill();
      if (cut.kind === "timeout")
        settle(failure("Sandbox.Timedout", `Task timed out after ${cut.afterMs / 1000} seconds`));
    }, cut.afterMs);
  };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url?.replace("/2018-06-01/runtime", "") ?? "";
    if (path === "/invocation/next") {
      next = response;
      dispatch();
      return;
    }
    const body = await bodyOf(request);
    response.writeHead(202).end();
    const [, id, what] = /^\/invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    // A function that could not be loaded has no invocation to name.
    if (id === undefined) kill();
    if (id === undefined || id === current?.invocation.id)
      settle(what === "response" ? { payload: body } : ({ functionError: body } as Invoked));
  };

  return {
    get isEnding() {
      return isEnding;
    },
    run(invocation) {
      return new Promise<Invoked>((resolve) => {
        current = { invocation, settle: resolve };
        dispatch();
      });
    },
    kill,
    ended,
  };
}

function startProcess({ root, handler, env, onOutput }: EnvironmentOptions, port: number) {
  const [program, args] = dyingWithParent(process.execPath, [BOOTSTRAP]);
  const child = spawn(program, args, {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
      AWS_LAMBDA_FUNCTION_NAME: "tranship-test",
      LAMBDA_TASK_ROOT: root,
      _HANDLER: handler,
      ...env,
    },
  });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", onOutput);
  return child;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString());
}
