/** Parses a large answer before the SDK does, whose parser takes 10 ms for a thousand keys while copies wait. */

import { setImmediate as nextTurn } from "node:timers/promises";
import type { DeleteObjectsCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";

/** What the SDK's HTTP handler gives. */
interface SdkHttpResponse {
  readonly statusCode: number;
  body: AsyncIterable<Uint8Array> | Uint8Array;
}

/**
 * Has `parse` read the answer to `command`, if its status is 200. Where `parse` gives a result, the SDK is given
 * `replacement` to parse instead; where it gives null, the answer as it is. The function returned gives, once the
 * command has been sent, what `parse` gave.
 */
export function interceptResponse<Parsed>(
  command: ListObjectsV2Command | DeleteObjectsCommand,
  parse: (body: string) => Parsed | null,
  replacement: string,
): () => Parsed | null {
  let parsed: Parsed | null = null;
  // The stacks of both commands take the same middleware here; only their types are not compatible.
  const { middlewareStack } = command as ListObjectsV2Command;
  middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as SdkHttpResponse;
      if (response.statusCode !== 200) return result;
      const body = await readBody(response.body);
      // Copies that were answered meanwhile are followed up before a thousand keys are parsed, and before they are used.
      await nextTurn();
      parsed = parse(body.toString());
      await nextTurn();
      response.body = parsed === null ? body : Buffer.from(replacement);
      return result;
    },
    // The last one, whose `next` is the HTTP handler.
    { step: "deserialize", priority: "low", name: "interceptResponse" },
  );
  return () => parsed;
}

async function readBody(body: SdkHttpResponse["body"]): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
