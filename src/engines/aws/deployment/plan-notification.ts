/** `planNotification`: how a bucket's notification configuration has to change so that copies are told to a queue. Pure. */

import {
  covers,
  escapeXml,
  filterValue,
  type NotificationDocument,
  type NotificationEntry,
  overlap,
  readNotification,
} from "./notification-entries.ts";

/** The events that a copy makes. */
export const COPY_EVENTS = ["s3:ObjectCreated:Copy", "s3:ObjectCreated:CompleteMultipartUpload"] as const;

export interface WantedEvents {
  /** ARN of the queue. */
  readonly queue: string;
  /** Of the new keys, as a job gives it. */
  readonly prefix: string;
}

export type NotificationPlan =
  /** The queue is told of all copies already. */
  | { readonly kind: "wired"; readonly others: number }
  | {
      readonly kind: "change";
      /** The whole configuration afterwards. */
      readonly text: string;
      readonly added: string;
      /** Entries of this program that `added` takes the place of. */
      readonly replaced: readonly string[];
      readonly others: number;
    }
  /** One sentence for each entry in the way, or for what is not understood. */
  | { readonly kind: "refused"; readonly reasons: readonly string[] };

/** The entries of this program have ids that begin so. */
const ID = "tranship-";

/** The plan for a bucket with the configuration `xml`: nothing that others have written changes by a byte. */
export function planNotification(xml: string, wanted: WantedEvents): NotificationPlan {
  const document = readNotification(xml);
  if (document === null)
    return { kind: "refused", reasons: ["the bucket's notification configuration is not understood"] };
  const { entries } = document;
  const entry = { events: COPY_EVENTS, prefix: filterValue(wanted.prefix), suffix: "" };
  const inTheWay = entries.filter((other) => overlap(other, entry));
  const isOwn = (other: NotificationEntry) =>
    other.destination === wanted.queue && (other.id?.startsWith(ID) ?? false);
  if (inTheWay.some((other) => tellsAll(other, wanted.queue, entry.prefix)))
    return { kind: "wired", others: entries.length - 1 };
  const foreign = inTheWay.filter((other) => !isOwn(other));
  if (foreign.length > 0) return { kind: "refused", reasons: foreign.map(reasonOf) };
  const added = entryText(freeId(entries), wanted.queue, entry.prefix);
  return {
    kind: "change",
    text: merged(document, inTheWay, added),
    added,
    replaced: inTheWay.map(({ text }) => text),
    others: entries.length - inTheWay.length,
  };
}

/** The entries of `before` that a configuration read afterwards lacks, but for those that the plan has replaced. */
export function lostEntries(before: string, plan: NotificationPlan, after: string): readonly string[] {
  const replaced = plan.kind === "change" ? plan.replaced : [];
  const left = (readNotification(after)?.entries ?? []).map(({ text }) => text);
  return (readNotification(before)?.entries ?? [])
    .map(({ text }) => text)
    .filter((text) => !replaced.includes(text))
    .filter((text) => {
      const at = left.indexOf(text);
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    });
}

function tellsAll(entry: NotificationEntry, queue: string, prefix: string): boolean {
  return (
    entry.destination === queue &&
    entry.suffix === "" &&
    prefix.startsWith(entry.prefix) &&
    COPY_EVENTS.every((event) => entry.events.some((pattern) => covers(pattern, event)))
  );
}

function merged(
  { opening, content, closing }: NotificationDocument,
  replaced: readonly NotificationEntry[],
  added: string,
): string {
  let kept = content;
  for (const { text } of replaced) kept = kept.replace(text, () => "");
  // Beside the entries of its kind: whether S3 takes them in any order is not documented.
  const after = Math.max(endOf(kept, "</QueueConfiguration>"), endOf(kept, "</TopicConfiguration>"), 0);
  return opening + kept.slice(0, after) + added + kept.slice(after) + closing;
}

function endOf(text: string, tag: string): number {
  const at = text.lastIndexOf(tag);
  return at < 0 ? -1 : at + tag.length;
}

function freeId(entries: readonly NotificationEntry[]): string {
  const taken = new Set(entries.map(({ id }) => id));
  for (let n = 1; ; n += 1) if (!taken.has(`${ID}${n}`)) return `${ID}${n}`;
}

function entryText(id: string, queue: string, prefix: string): string {
  const events = COPY_EVENTS.map((event) => `<Event>${event}</Event>`).join("");
  const rule = `<FilterRule><Name>prefix</Name><Value>${escapeXml(prefix)}</Value></FilterRule>`;
  const filter = prefix === "" ? "" : `<Filter><S3Key>${rule}</S3Key></Filter>`;
  return `<QueueConfiguration><Id>${id}</Id><Queue>${escapeXml(queue)}</Queue>${events}${filter}</QueueConfiguration>`;
}

function reasonOf({ id, destination, events, prefix, suffix }: NotificationEntry): string {
  const filter = [prefix && `prefix ${prefix}`, suffix && `suffix ${suffix}`].filter(Boolean).join(", ");
  const keys = filter === "" ? "all keys" : `keys with ${filter}`;
  return `entry ${id ?? "without an id"} tells ${destination || "another service"} of ${events.join(", ")} for ${keys}, and S3 allows one destination for an event and a key`;
}
