/** Reads request bodies. */

import type { IncomingMessage } from "node:http";

/** The body of a request without one. */
export const NO_BODY = Buffer.alloc(0);

/** Whether a body follows the headers. */
export function hasBody(message: IncomingMessage): boolean {
  const { headers } = message;
  const length = headers["content-length"];
  return (length !== undefined && length !== "0") || headers["transfer-encoding"] !== undefined;
}

/** Collects the body; resolves with `undefined` if the client breaks off. */
export function readBody(message: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    message.on("data", (piece: Buffer) => pieces.push(piece));
    message.on("end", () => resolve(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)));
    message.on("error", () => resolve(undefined));
    message.on("close", () => resolve(undefined));
  });
}
