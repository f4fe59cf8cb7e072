/**
 * TaskOutcome: what the function reports of one copy, as the result string of a succeeded task. What depends on the object
 * is an outcome and no failure of the task: strings of failed tasks are not reported, and half of them failing ends a job.
 */

/** Characters of a result string at most; the limit is not published. No CR, LF or tab. */
const MOST_CHARACTERS = 240;

export type TaskOutcome =
  /** `etag` of the new object, without quotes. */
  | { readonly kind: "copied"; readonly etag: string }
  | { readonly kind: "source_gone" }
  /** The source is another version, or the target is not as expected: the service checks both again. */
  | { readonly kind: "precondition_failed" }
  /** Not begun: its time was over. */
  | { readonly kind: "held" }
  /** `code` as in the service's exceptions, e.g. `access_denied`, `needs_restore`, `copy_refused`. */
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

/** The result string for `outcome`. */
export function encodeOutcome(outcome: TaskOutcome): string {
  if (outcome.kind !== "failed") return JSON.stringify(outcome);
  const message = outcome.message.replaceAll(/[^\x20-\x7e]/g, " ");
  for (let most = message.length; ; most -= 10) {
    const text = JSON.stringify({ ...outcome, message: message.slice(0, Math.max(0, most)) });
    if (text.length <= MOST_CHARACTERS || most <= 0) return text;
  }
}

const KINDS = new Set(["copied", "source_gone", "precondition_failed", "held", "failed"]);

/** The outcome in a report's result column, or null when it is none. */
export function decodeOutcome(text: string): TaskOutcome | null {
  try {
    const outcome = JSON.parse(text) as Partial<Record<string, unknown>> | null;
    if (outcome === null || typeof outcome !== "object" || !KINDS.has(String(outcome.kind))) return null;
    if (outcome.kind === "copied" && typeof outcome.etag !== "string") return null;
    if (
      outcome.kind === "failed" &&
      (typeof outcome.code !== "string" || typeof outcome.message !== "string")
    )
      return null;
    return outcome as unknown as TaskOutcome;
  } catch {
    return null;
  }
}
