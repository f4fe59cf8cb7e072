/** The double of an event source mapping treats answers as Lambda documents it. */

import { expect, it } from "vitest";
import { startEventQueue } from "../../support/aws/events/event-queue.ts";
import { type InvokeFunction, startPoller } from "../../support/aws/events/queue-poller.ts";

/** Bodies that are dead letters after the function has answered so to a single delivery of `a` and `b`. */
async function keptAfter(answer: InvokeFunction): Promise<string[]> {
  const queue = await startEventQueue({ visibilitySeconds: 1, mostReceives: 1 });
  await queue.send("a");
  await queue.send("b");
  const poller = startPoller(queue, answer);
  await poller.drained();
  await poller.stop();
  const kept = (await queue.deadLetters()).sort();
  await queue.close();
  return kept;
}

it.concurrent.each<[string, InvokeFunction, string[]]>([
  ["no failures", async () => ({ batchItemFailures: [] }), []],
  ["null for failures", async () => ({ batchItemFailures: null }), []],
  ["nothing", async () => null, []],
  ["an unknown id", async () => ({ batchItemFailures: [{ itemIdentifier: "x" }] }), ["a", "b"]],
  ["an empty id", async () => ({ batchItemFailures: [{ itemIdentifier: "" }] }), ["a", "b"]],
  ["no id", async () => ({ batchItemFailures: [{}] }), ["a", "b"]],
  ["an error", () => Promise.reject(new Error("timed out")), ["a", "b"]],
  [
    "one id",
    async ({ Records }) => ({
      batchItemFailures: Records.filter(({ body }) => body === "b").map(({ messageId }) => ({
        itemIdentifier: messageId,
      })),
    }),
    ["b"],
  ],
])("keeps what it must after an answer with %s", async (_name, answer, kept) => {
  expect(await keptAfter(answer)).toEqual(kept);
});

it("fills a batch beyond ten messages", async () => {
  const queue = await startEventQueue();
  await Promise.all(Array.from({ length: 25 }, (_, at) => queue.send(String(at))));
  const sizes: number[] = [];
  const count: InvokeFunction = async ({ Records }) => {
    sizes.push(Records.length);
    return null;
  };
  const poller = startPoller(queue, count, { batchSize: 20 });
  await poller.drained();
  await poller.stop();
  await queue.close();
  expect(sizes).toEqual([20, 5]);
});
