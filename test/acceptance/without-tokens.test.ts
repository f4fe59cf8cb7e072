/** An API that deletes and asks for no token is reached by this machine alone, and by no page of another origin. */

import { request } from "node:http";
import { beforeAll, describe, expect, it } from "vitest";
import type { Service } from "../support/service.ts";
import { world, worldForAll } from "../support/worlds/world-for-all.ts";

const TOKENS = [{ name: "ci", secret: "ci-secret-0123456789", scopes: ["read", "operate", "approve"] }];

let service: Service;
let job: string;

worldForAll();
beforeAll(async () => {
  world.buckets("door", ["image/1.png"]);
  service = await world.serve();
  const { body } = await service.call("POST", "/jobs", {
    source: { bucket: "door-a", prefix: "image/" },
    target: { bucket: "door-b", prefix: "avatar/" },
    delete: { when: "approved", after: "0s" },
  });
  job = body.id;
  await service.poll(job, ({ waiting }) => waiting?.reason === "approval");
}, 120_000);

/** `fetch` sets the headers that matter here by itself. */
function ask(method: string, path: string, headers: Record<string, string>) {
  return new Promise<{ readonly status: number; readonly type: string; readonly body: string }>(
    (resolve, reject) => {
      const sent = request(service.url + path, { method, headers }, (answer) => {
        let body = "";
        answer.setEncoding("utf8").on("data", (text: string) => {
          body += text;
        });
        const type = answer.headers["content-type"] ?? "";
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, type, body }));
      });
      sent.on("error", reject).end();
    },
  );
}

const waits = async () => (await service.call("GET", `/jobs/${job}`)).body.waiting?.reason === "approval";

describe("without tokens", () => {
  for (const host of ["0.0.0.0", "::", "10.1.2.3", "tranship.internal"]) {
    it(`serve refuses to listen on ${host}: exit code 2, and what would be right`, async () => {
      const config = world.file(
        "open.json",
        world.config({ listen: { host, port: 0 }, progress: "sqlite:./open.db" }),
      );
      const { end, stderr } = await world.tranship(["serve", "--config", config]);
      expect({ end, stderr }).toMatchObject({ end: 2 });
      expect(stderr).toContain("/listen/host");
      expect(stderr).toMatch(/configure "tokens", or listen on 127\.0\.0\.1/);
    });
  }

  it("approve, and every read, is refused to a name that was pointed at this machine", async () => {
    const host = `rebound.example:${new URL(service.url).port}`;
    for (const [method, path] of [
      ["POST", `/jobs/${job}/approve`],
      ["GET", `/jobs/${job}`],
      ["GET", "/jobs"],
      ["GET", "/docs/json"],
      ["GET", "/health/ready"],
    ] as const) {
      const answer = await ask(method, path, { host });
      expect(answer).toMatchObject({ status: 421, type: "application/problem+json" });
      expect(answer.body).toContain("Host header");
    }
    expect(await waits()).toBe(true);
  });

  it("approve is refused to a page on another port of this host", async () => {
    for (const headers of [{ "sec-fetch-site": "same-site" }, { origin: "http://127.0.0.1:3000" }]) {
      const answer = await ask("POST", `/jobs/${job}/approve`, headers as Record<string, string>);
      expect(answer).toMatchObject({ status: 403, type: "application/problem+json" });
      expect(answer.body).toContain("page");
    }
    expect(await waits()).toBe(true);
    expect(world.store.countObjects("door-a")).toBe(1);
  });

  it("approve is taken from the service's own page", async () => {
    const headers = { origin: service.url, "sec-fetch-site": "same-origin" };
    expect((await ask("POST", `/jobs/${job}/approve`, headers)).status).toBe(202);
    await service.poll(job, ({ state }) => state === "completed");
    expect(world.store.countObjects("door-a")).toBe(0);
  });
});

it("with tokens serve listens on all addresses, and a request under another name is judged by its token", async () => {
  const config = world.config({
    tokens: TOKENS,
    listen: { host: "0.0.0.0", port: 0 },
    progress: "sqlite:./tokens.db",
  });
  const running = world.start(["serve", "--json", "--config", world.file("tokens.json", config)]);
  const line = await new Promise<string>((resolve, reject) => {
    running.child.stdout?.once("data", (text: string) => resolve(text));
    void running.ended.then(({ stderr }) => reject(new Error(stderr)));
  });
  const port = new URL(JSON.parse(line).url).port;
  service = { ...service, url: `http://127.0.0.1:${port}` };
  const host = "tranship.internal";
  expect((await ask("GET", "/jobs", { host })).status).toBe(401);
  expect((await ask("GET", "/health/ready", { host })).status).toBe(200);
  const authorization = "Bearer ci-secret-0123456789";
  expect((await ask("GET", "/jobs", { host, authorization, origin: "https://ci.example" })).status).toBe(200);
  running.child.kill("SIGTERM");
  expect((await running.ended).end).toBe(0);
});
