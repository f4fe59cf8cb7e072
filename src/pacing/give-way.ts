/** The stages' own work gives way to the copies under way: they are what the job waits for. */

/**
 * Resolves in the next turn of the event loop, after all answers that have arrived meanwhile. A thousand objects take a
 * stage some milliseconds, in which no copy that was answered can be followed by the next: stages call this between two
 * such pieces of work, and never between the last look before a write and the write.
 */
export function giveWay(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
