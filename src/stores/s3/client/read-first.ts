/** Lets us read a large answer before the SDK does: its parser takes 10 ms for a thousand keys, and copies wait for it. */

import { setImmediate as nextTurn } from "node:timers/promises";
import type { DeleteObjectsCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";

/** What the SDK's HTTP handler gives. */
interface HttpAnswer {
  readonly statusCode: number;
  body: AsyncIterable<Uint8Array> | Uint8Array;
}

/**
 * Has `read` look at the answer to `command`, if it is a 200, as soon as it has arrived. When `read` finds all it wants
 * (not null) the SDK is given `instead` to parse; otherwise it gets the answer as it is. Gives a function that tells,
 * after the command was sent, what `read` found.
 */
export function readFirst<Found>(
  command: ListObjectsV2Command | DeleteObjectsCommand,
  read: (body: string) => Found | null,
  instead: string,
): () => Found | null {
  let found: Found | null = null;
  // The two stacks take the same middleware here; only their types do not compare.
  const { middlewareStack } = command as ListObjectsV2Command;
  middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const answer = result.response as HttpAnswer;
      if (answer.statusCode !== 200) return result;
      const body = await wholeOf(answer.body);
      // A thousand keys take their time here and in the stage they are for; copies that were answered meanwhile go
      // first, before and after.
      await nextTurn();
      found = read(body.toString());
      await nextTurn();
      answer.body = found === null ? body : Buffer.from(instead);
      return result;
    },
    // After everything else, right where the HTTP handler is called.
    { step: "deserialize", priority: "low", name: "readFirst" },
  );
  return () => found;
}

async function wholeOf(body: HttpAnswer["body"]): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
