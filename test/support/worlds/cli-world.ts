/** A made-up world for the command line's tests: output that is read back, a service and a fetch that answer as told. */

import type { CommandContext } from "../../../src/cli/command.ts";
import { runCommandLine } from "../../../src/cli/commands.ts";
import type { Output } from "../../../src/cli/output.ts";
import type { Tranship } from "../../../src/compose.ts";
import type { JobView } from "../../../src/jobs/view/job-view.ts";
import { noRequests } from "../../../src/ports/object-store.ts";
import { VirtualClock } from "../clocks/virtual-clock.ts";

/** What a command line came to. */
export interface Told {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** An output that remembers. */
export class ReadBack implements Output {
  stdout = "";
  stderr = "";
  readonly restores = new Set<() => void>();
  readonly isTerminal: boolean;
  readonly width: number;

  constructor(isTerminal = false, width = 80) {
    this.isTerminal = isTerminal;
    this.width = width;
  }

  out(text: string): void {
    this.stdout += text;
  }

  err(text: string): void {
    this.stderr += text;
  }

  columns(): number {
    return this.width;
  }

  atExit(restore: () => void): () => void {
    this.restores.add(restore);
    return () => void this.restores.delete(restore);
  }
}

const unexpected = (what: string) => (): never => {
  throw new Error(`${what} was not to be used`);
};

/** A context in which nothing works but what `parts` gives. */
export function contextWith(parts: Partial<CommandContext>): CommandContext {
  return {
    output: new ReadBack(),
    environment: {},
    clock: new VirtualClock(Date.UTC(2026, 9, 1, 12), "free"),
    version: "1.2.3",
    fetch: unexpected("fetch"),
    readStdin: unexpected("standard input"),
    stopSignal: () => new AbortController().signal,
    compose: unexpected("the service"),
    openApiDocument: unexpected("the OpenAPI document"),
    openDeployment: unexpected("a deployment"),
    deploymentTemplate: unexpected("the template"),
    runDemo: unexpected("the demo"),
    ...parts,
  };
}

/** Runs a command line in such a world. */
export async function tranship(args: readonly string[], parts: Partial<CommandContext> = {}): Promise<Told> {
  const output = new ReadBack();
  const code = await runCommandLine(args, contextWith({ output, ...parts }));
  return { code, out: output.stdout, err: output.stderr };
}

/** A job's view, half-way unless `parts` say otherwise. */
export function viewWith(parts: Partial<JobView> = {}): JobView {
  const at = "2026-10-01T12:00:00.000Z";
  return {
    id: "01job",
    name: "avatars",
    state: "running",
    waiting: null,
    reason: null,
    objects: {
      planned: 20_000,
      copied: 0,
      verified: 0,
      updated: 0,
      moved: 10_000,
      skipped: 0,
      exceptions: 0,
    },
    rows: { updated: 10_200 },
    bytes: 5_000_000,
    rate: { objectsPerSecond: 0, bytesPerSecond: 0 },
    percent: 50,
    planDone: true,
    expected: null,
    finishAt: null,
    finishOpenings: null,
    seconds: 8,
    requests: { ...noRequests(), list: 40, copy: 10_000, delete: 10 },
    statements: { app: 60 },
    spec: {
      source: { store: "main", bucket: "bucket-a", prefix: "image/" },
      target: { store: "main", bucket: "bucket-b", prefix: "avatar/" },
    } as JobView["spec"],
    approvedBy: null,
    version: 7,
    createdAt: at,
    updatedAt: at,
    startedAt: at,
    finishedAt: null,
    ...parts,
  };
}

/** A request that was sent. */
export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string | null;
}

/** A fetch that gives `answers` in turn, the last one again and again; an Error is thrown. */
export function fetchWith(...answers: readonly (readonly [number, unknown] | Error)[]) {
  const sent: Sent[] = [];
  const fetch = (async (url: string, init: RequestInit = {}) => {
    const answer = answers[Math.min(sent.length, answers.length - 1)]!;
    const body = typeof init.body === "string" ? init.body : null;
    sent.push({ method: init.method ?? "GET", url, headers: new Headers(init.headers), body });
    if (answer instanceof Error) throw answer;
    const [status, content] = answer;
    return new Response(typeof content === "string" ? content : JSON.stringify(content), { status });
  }) as unknown as typeof globalThis.fetch;
  return { fetch, sent };
}

/** A service of which only `parts` work; `closed` counts its closings. */
export function serviceWith(parts: Partial<Tranship>) {
  const told = { closed: 0 };
  const service = {
    startScheduler: unexpected("the scheduler"),
    runToEnd: unexpected("runToEnd"),
    server: unexpected("the server"),
    close: async () => {
      told.closed += 1;
    },
    ...parts,
  } as Tranship;
  return { compose: async () => service, told };
}
