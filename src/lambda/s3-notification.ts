/** Reads S3 event notifications as they are sent to a queue: one JSON document with one or more records. */

/** An object made by a copy or by the completion of a multipart upload. */
export interface CreatedObject {
  readonly bucket: string;
  readonly key: string;
  /** Without quotes. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** Who made it, e.g. `AWS:AROA…:session`; empty where the event does not tell. */
  readonly principal: string;
}

export type Notification =
  /** No S3 event; S3's test message has no records. */
  | { readonly kind: "ignored"; readonly reason: string }
  /** `faults`: why records that are S3 events could not be understood; empty when all could. */
  | {
      readonly kind: "events";
      readonly created: readonly CreatedObject[];
      readonly faults: readonly string[];
    };

/** The events by which an object under the new prefix can be a copy; others are not subscribed to. */
const CREATED_BY = /^(s3:)?ObjectCreated:(Copy|CompleteMultipartUpload)$/;
/** Minor versions only add fields (documentation of the event message structure). */
const VERSION = /^2\.\d+$/;

type Fields = Readonly<Record<string, unknown>>;

/** Reads the body of a message. Never throws. */
export function readNotification(body: string): Notification {
  let document: Fields;
  try {
    document = fieldsOf(JSON.parse(body));
  } catch {
    return { kind: "ignored", reason: "it is no JSON" };
  }
  const records = Array.isArray(document.Records) ? document.Records.map(fieldsOf) : [];
  const events = records.filter(isS3Event);
  if (events.length === 0) return { kind: "ignored", reason: "it holds no S3 event" };
  const created: CreatedObject[] = [];
  const faults: string[] = [];
  for (const event of events) {
    const read = readEvent(event);
    if (typeof read === "string") faults.push(read);
    else if (read !== null) created.push(read);
  }
  return { kind: "events", created, faults };
}

function isS3Event({ eventSource, s3 }: Fields): boolean {
  return s3 !== undefined || (typeof eventSource === "string" && eventSource.endsWith(":s3"));
}

/** Null for an event of another kind; a sentence for one that cannot be understood. */
function readEvent(event: Fields): CreatedObject | string | null {
  const version = textOf(event.eventVersion);
  if (!VERSION.test(version)) return `events of version ${version || "none"} are not understood`;
  if (!CREATED_BY.test(textOf(event.eventName))) return null;
  const { bucket, object } = fieldsOf(event.s3);
  const { key, size, eTag } = fieldsOf(object);
  const name = textOf(fieldsOf(bucket).name);
  const decoded = formDecoded(textOf(key));
  const etag = textOf(eTag).replaceAll('"', "");
  if (name === "" || decoded === null || decoded === "")
    return "the event names no object, or its key is not form-encoded";
  if (etag === "" || !Number.isSafeInteger(size)) return "the event tells no ETag or no size";
  const principal = textOf(fieldsOf(event.userIdentity).principalId);
  return { bucket: name, key: decoded, etag, size: size as number, principal };
}

/** Keys are form-encoded: a space as `+`, a plus sign as `%2B`. Null where an escape is broken. */
function formDecoded(key: string): string | null {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    return null;
  }
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
