/** Lets the event loop process answers between two pieces of a stage's own computation. */

/**
 * Resolves when the event loop has processed the answers that it had already received; two calls in a row cover those that
 * arrived meanwhile as well. A thousand objects take a stage some milliseconds of computation, during which no answered copy
 * can be followed by the next: stages call this between two such pieces, and never between the last check before a write
 * (lease, gate, age of the evidence) and the write.
 */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
