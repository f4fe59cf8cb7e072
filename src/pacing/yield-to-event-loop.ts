/** The stages' own work gives way to the copies under way: they are what the job waits for. */

/**
 * Resolves when the event loop has gone through the answers it had fetched already; where one gives way twice, those that
 * came meanwhile are among them. A thousand objects take a stage some milliseconds, in which no copy that was answered can
 * be followed by the next: stages call this between two such pieces of work, and never between the last check before a
 * write (lease, gate, age of the evidence) and the write.
 */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
