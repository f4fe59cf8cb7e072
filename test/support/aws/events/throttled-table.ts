/** Between a client and dynalite: answers some requests as a busy DynamoDB does, and passes on the others. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How one request fails; `half`: half of a batch is left unprocessed; `lost`: it is done and its answer lost. */
export type TableFault = "throttled" | "unavailable" | "reset" | "lost" | "half";

export interface ThrottledTable {
  readonly endpoint: string;
  /** The operations that were requested, e.g. `UpdateItem`, with their faults. */
  readonly requests: { readonly operation: string; readonly fault: TableFault | null }[];
  close(): Promise<void>;
}

/** Starts the proxy; `faultOf` is asked for each request, with its operation and its number (0, 1, …). */
export async function startThrottledTable(
  upstream: string,
  faultOf: (operation: string, count: number) => TableFault | null,
): Promise<ThrottledTable> {
  const requests: { operation: string; fault: TableFault | null }[] = [];
  const server = createServer((request, response) => {
    const operation = String(request.headers["x-amz-target"]).split(".").at(-1) ?? "";
    const fault = faultOf(operation, requests.length);
    requests.push({ operation, fault });
    answer(upstream, request, response, fault).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(
  upstream: string,
  request: IncomingMessage,
  response: ServerResponse,
  fault: TableFault | null,
): Promise<void> {
  const body = await bodyOf(request);
  if (fault === "throttled") return fail(response, 400, "ProvisionedThroughputExceededException");
  if (fault === "unavailable") return void response.writeHead(503).end("Service Unavailable");
  if (fault === "reset") return void response.destroy();
  const [passed, left] = fault === "half" ? halved(body) : [body, null];
  const answered = await fetch(upstream, { method: "POST", headers: headersOf(request), body: passed });
  const text = await answered.text();
  if (fault === "lost") return void response.destroy();
  response.writeHead(answered.status, { "content-type": "application/x-amz-json-1.0" });
  response.end(left === null ? text : JSON.stringify({ ...JSON.parse(text), ...left }));
}

type BatchRequest = { readonly RequestItems: Record<string, unknown[] | { readonly Keys: unknown[] }> };

/** The first half of a batch, and the answer's fields that name the second one as unprocessed. */
function halved(body: string): [string, object] {
  const { RequestItems, ...rest } = JSON.parse(body) as BatchRequest;
  const [table = "", items = []] = Object.entries(RequestItems)[0] ?? [];
  if (Array.isArray(items)) {
    const half = Math.ceil(items.length / 2);
    const passed = { ...rest, RequestItems: { [table]: items.slice(0, half) } };
    const left = items.length > half ? { [table]: items.slice(half) } : {};
    return [JSON.stringify(passed), { UnprocessedItems: left }];
  }
  const half = Math.ceil(items.Keys.length / 2);
  const passed = { ...rest, RequestItems: { [table]: { ...items, Keys: items.Keys.slice(0, half) } } };
  const left = items.Keys.length > half ? { [table]: { ...items, Keys: items.Keys.slice(half) } } : {};
  return [JSON.stringify(passed), { UnprocessedKeys: left }];
}

function fail(response: ServerResponse, status: number, type: string): void {
  response.writeHead(status, { "content-type": "application/x-amz-json-1.0" });
  response.end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: "busy" }));
}

function headersOf(request: IncomingMessage): Record<string, string> {
  const { "x-amz-target": target = "", authorization = "" } = request.headers;
  return {
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": String(target),
    "x-amz-date": String(request.headers["x-amz-date"]),
    authorization,
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
