/** The service, the demo, the document, and how a process is stopped. */

import { describe, expect, it } from "vitest";
import { stopSignals } from "../../../src/cli/stop-signals.ts";
import type { Tranship } from "../../../src/compose.ts";
import { serviceWith, tranship, viewWith } from "../../support/worlds/cli-world.ts";

describe("serve", () => {
  it("listens, works until it is stopped, and ends with 0", async () => {
    const did: string[] = [];
    const stop = new AbortController();
    const server = {
      listen: async ({ port }: { port: number }) => {
        did.push(`listen ${port}`);
        return `http://127.0.0.1:${port}`;
      },
      close: async () => void did.push("close server"),
      server: { closeAllConnections: () => void did.push("cut") },
    };
    const service = serviceWith({
      server: async () => server as unknown as Awaited<ReturnType<Tranship["server"]>>,
      startScheduler: () => {
        did.push("schedule");
        stop.abort();
      },
      close: async () => void did.push("close"),
    });
    const told = await tranship(["serve", "--json"], { ...service, stopSignal: () => stop.signal });
    expect(did).toEqual(["listen 8080", "schedule", "close server", "cut", "close"]);
    expect(told).toMatchObject({ code: 0, out: '{"url":"http://127.0.0.1:8080"}\n' });
  });
});

describe("demo and openapi", () => {
  const check = { ok: true, differences: [], found: 0 };

  it("hands over what was asked for and ends with the check's verdict", async () => {
    const asked: unknown[] = [];
    const run = (ok: boolean) => ({
      runDemo: async ({
        objects,
        keep,
        tell,
      }: {
        objects: number;
        keep: boolean;
        tell(line: string): void;
      }) => {
        asked.push([objects, keep]);
        tell("a story");
        return { view: viewWith({ state: "completed" }), check: { ...check, ok } };
      },
    });
    expect(await tranship(["demo"], run(true))).toMatchObject({ code: 0, out: "a story\n" });
    const failed = await tranship(["demo", "--objects", "7", "--keep", "--json"], run(false));
    expect(failed).toMatchObject({ code: 1, err: "a story\n" });
    expect(JSON.parse(failed.out)).toMatchObject({
      jobId: "01job",
      state: "completed",
      check: { ok: false },
    });
    expect(asked).toEqual([
      [20_000, false],
      [7, true],
    ]);
  });

  it("prints the OpenAPI document", async () => {
    const openApiDocument = async () => ({ openapi: "3.1.0" });
    expect((await tranship(["openapi"], { openApiDocument })).out).toBe('{\n  "openapi": "3.1.0"\n}\n');
    expect((await tranship(["openapi", "--json"], { openApiDocument })).out).toBe('{"openapi":"3.1.0"}\n');
  });
});

describe("signals", () => {
  it("the first stops gracefully, the second at once; no handler is installed before the signal is asked for", () => {
    const handlers = new Map<string, () => void>();
    const exits: number[] = [];
    const notes: string[] = [];
    const target = {
      on: (event: string, handler: () => void) => handlers.set(event, handler),
      exit: (code: number) => void exits.push(code),
    };
    const stopSignal = stopSignals(target, (note) => notes.push(note));
    expect(handlers.size).toBe(0);
    const signal = stopSignal();
    expect(stopSignal()).toBe(signal);
    handlers.get("SIGTERM")?.();
    expect({ aborted: signal.aborted, exits, notes: notes.length }).toEqual({
      aborted: true,
      exits: [],
      notes: 1,
    });
    handlers.get("SIGINT")?.();
    expect(exits).toEqual([1]);
  });
});
