/** Millions of objects in a bit each: keys and contents are made from the object's number. */

import type { KeyCursor, OrderedKeys } from "../buckets/key-index.ts";
import { fromByteOrder, toByteOrder } from "../protocol/byte-order.ts";
import { s3Error } from "../protocol/s3-error.ts";
import { BytesBody } from "./object-body.ts";
import {
  DEFAULT_CHECKSUM,
  DEFAULT_ENCRYPTION,
  type ObjectContents,
  PLAIN_ATTRIBUTES,
  type StoredObject,
  type StoredVersion,
} from "./stored-object.ts";

/** Every key ends with its number in so many digits, so that their order is that of the numbers. */
const DIGITS = 9;

/** Which keys there may be: `prefix` and a nine-digit number below `count`. */
export interface NumberedKeys {
  readonly prefix: string;
  /** At most 1,000 million. */
  readonly count: number;
  /** The size of each object: its number in nine digits, then dots. At least 9. */
  readonly bytes: number;
}

/**
 * The index of a bucket that holds numbered objects, all alike but for their number, and nothing else. It takes an
 * exact copy of object n of another such bucket under its own key n, and refuses all other writes (`NotImplemented`).
 * All objects have one `Last-Modified`. Versioning must stay off.
 */
export class NumberedObjects implements OrderedKeys<StoredVersion> {
  readonly #keys: NumberedKeys;
  readonly #ordered: string;
  readonly #modifiedMs: number;
  /** Bit n says whether object n is there. */
  readonly #present: Uint32Array;
  #size: number;

  constructor(keys: NumberedKeys, modifiedMs: number, filled: boolean) {
    const { count, bytes } = keys;
    if (!Number.isSafeInteger(count) || count < 0 || count > 10 ** DIGITS || bytes < DIGITS) {
      throw new RangeError(
        `no numbered objects: ${count} of ${bytes} bytes (at most 10^9, at least 9 bytes)`,
      );
    }
    this.#keys = keys;
    this.#ordered = toByteOrder(keys.prefix);
    this.#modifiedMs = modifiedMs - (modifiedMs % 1000);
    this.#present = new Uint32Array(Math.ceil(count / 32));
    if (filled) this.#present.fill(0xffff_ffff);
    this.#size = filled ? count : 0;
  }

  get size(): number {
    return this.#size;
  }

  get(key: string): StoredVersion | undefined {
    const number = this.#numberOf(key);
    return number === undefined || !this.#has(number) ? undefined : this.#object(number);
  }

  set(key: string, value: StoredVersion): void {
    const number = this.#numberOf(key);
    const isOwn =
      number !== undefined &&
      !value.isDeleteMarker &&
      value.versionId === "null" &&
      isNumbered(value.contents, number, this.#keys.bytes);
    if (!isOwn) throw s3Error("NotImplemented", "This bucket takes nothing but its numbered objects.");
    if (this.#has(number)) return;
    this.#flip(number);
    this.#size++;
  }

  delete(key: string): boolean {
    const number = this.#numberOf(key);
    if (number === undefined || !this.#has(number)) return false;
    this.#flip(number);
    this.#size--;
    return true;
  }

  seek(ordered: string, exclusive = false): KeyCursor<StoredVersion> {
    let low = 0;
    let high = this.#keys.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const key = this.#orderedKey(middle);
      if (key < ordered || (exclusive && key === ordered)) low = middle + 1;
      else high = middle;
    }
    let at = this.#nextPresent(low);
    const isEnd = () => at >= this.#keys.count;
    const index = this;
    return {
      get ordered() {
        return isEnd() ? undefined : index.#orderedKey(at);
      },
      get value() {
        return isEnd() ? undefined : index.#object(at);
      },
      next: () => {
        at = this.#nextPresent(at + 1);
      },
    };
  }

  *entries(): Generator<[string, StoredVersion]> {
    for (const cursor = this.seek(""); cursor.ordered !== undefined; cursor.next()) {
      yield [fromByteOrder(cursor.ordered), cursor.value as StoredVersion];
    }
  }

  #orderedKey(number: number): string {
    return this.#ordered + digitsOf(number);
  }

  #numberOf(key: string): number | undefined {
    const { prefix, count } = this.#keys;
    if (key.length !== prefix.length + DIGITS || !key.startsWith(prefix)) return undefined;
    const digits = key.slice(prefix.length);
    const number = Number(digits);
    return digits === digitsOf(number) && number < count ? number : undefined;
  }

  #object(number: number): StoredObject {
    return {
      isDeleteMarker: false,
      versionId: "null",
      lastModifiedMs: this.#modifiedMs,
      contents: numberedContents(number, this.#keys.bytes),
      tags: NO_TAGS,
      older: undefined,
    };
  }

  #has(number: number): boolean {
    return (((this.#present[number >>> 5] ?? 0) >>> (number & 31)) & 1) === 1;
  }

  #flip(number: number): void {
    this.#present[number >>> 5] = (this.#present[number >>> 5] ?? 0) ^ (1 << (number & 31));
  }

  /** The first number at or after `from` whose object is there; `count` or more when there is none. */
  #nextPresent(from: number): number {
    let word = from >>> 5;
    let bits = ((this.#present[word] ?? 0) >>> (from & 31)) << (from & 31);
    while (bits === 0) {
      word++;
      if (word >= this.#present.length) return this.#keys.count;
      bits = this.#present[word] as number;
    }
    return word * 32 + 31 - Math.clz32(bits & -bits);
  }
}

/** Contents that know their number, so that a copy of them is recognised. */
class NumberedBody extends BytesBody {
  readonly number: number;

  constructor(number: number, bytes: number) {
    super(Buffer.from(digitsOf(number).padEnd(bytes, "."), "latin1"));
    this.number = number;
  }
}

function numberedContents(number: number, bytes: number): ObjectContents {
  const body = new NumberedBody(number, bytes);
  return {
    body,
    // Only what is listed or copied needs its MD5.
    get etag() {
      return body.md5();
    },
    attributes: PLAIN_ATTRIBUTES,
    storageClass: "STANDARD",
    encryption: DEFAULT_ENCRYPTION,
    checksum: DEFAULT_CHECKSUM,
    tags: NO_TAGS,
  };
}

const NO_TAGS: readonly never[] = [];

/** Whether `contents` are object `number`'s, in everything that this bucket does not keep. */
function isNumbered(contents: ObjectContents, number: number, bytes: number): boolean {
  const { body, attributes, storageClass, encryption, checksum, tags, websiteRedirectLocation } = contents;
  return (
    body instanceof NumberedBody &&
    body.number === number &&
    body.size === bytes &&
    attributes === PLAIN_ATTRIBUTES &&
    storageClass === "STANDARD" &&
    encryption === DEFAULT_ENCRYPTION &&
    checksum === DEFAULT_CHECKSUM &&
    tags.length === 0 &&
    websiteRedirectLocation === undefined
  );
}

function digitsOf(number: number): string {
  return String(number).padStart(DIGITS, "0");
}
