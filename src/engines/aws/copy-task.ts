/**
 * CopyTask: what the function needs to know of one copy, as the key field of a Batch Operations manifest. The field is free
 * text to Batch Operations (at most 1,024 characters); the pinned version travels in it, so that the function needs no HEAD.
 */

/** The first field; a function refuses versions it does not know. */
const FORMAT = "t1";
const SEPARATOR = "~";
/** Limit of a manifest's key field, characters; whether S3 counts them before or after encoding is not published. */
export const MOST_FIELD_CHARACTERS = 1024;

export interface CopyTask {
  /** See `domain/copy-number.ts`. */
  readonly number: number;
  /** Of the planned version, without quotes. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** Null stands for STANDARD. */
  readonly storageClass: string | null;
  /** What may be at the new key: null: no object; otherwise the object with this ETag. */
  readonly replacing: string | null;
  /** The source's key. */
  readonly key: string;
}

/**
 * The field for `task`, whose ETags and storage class hold no `~` (those of S3 do not): unreserved characters and %XX only,
 * no raw `+` and no comma. May be longer than the limit.
 */
export function encodeTask({ number, etag, size, storageClass, replacing, key }: CopyTask): string {
  const fields = [number.toString(36), etag, size.toString(36), storageClass ?? "", replacing ?? ""];
  return [FORMAT, ...fields.map(encode), encode(key)].join(SEPARATOR);
}

/**
 * The task of an event's `s3Key` or a report's key column, or null when it is none. The whole field is form-decoded before
 * it is taken apart: S3 may have decoded it and encoded it again, with `+` for `%20` and with `%7E` for the separator. An
 * encoded task holds no raw `+`, and only its last field may hold a `~`.
 */
export function decodeTask(field: string): CopyTask | null {
  const decoded = formDecoded(field);
  if (decoded === null) return null;
  const [format, number = "", etag = "", size = "", storageClass = "", replacing = "", ...key] =
    decoded.split(SEPARATOR);
  if (format !== FORMAT || key.length === 0) return null;
  const task = {
    number: integer(number),
    etag,
    size: integer(size),
    storageClass: storageClass || null,
    replacing: replacing || null,
    key: key.join(SEPARATOR),
  };
  return Number.isSafeInteger(task.number) && Number.isSafeInteger(task.size) && task.key !== ""
    ? task
    : null;
}

/** NaN for anything but digits of base 36: `parseInt` would ignore what follows them. */
function integer(text: string): number {
  return /^[0-9a-z]+$/.test(text) ? Number.parseInt(text, 36) : Number.NaN;
}

/** Percent-encoding that leaves unreserved characters only, of them no `~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*~]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function formDecoded(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return null;
  }
}
