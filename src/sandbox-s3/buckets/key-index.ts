/** The byte-ordered index of a bucket's keys: sorted arrays in chunks, quick at a million keys. */

import { fromByteOrder, toByteOrder } from "../protocol/byte-order.ts";

const MAX_CHUNK_KEYS = 512;

interface Chunk<V> {
  /** Keys as {@link toByteOrder} gives them, ascending; `values` runs parallel. */
  readonly keys: string[];
  readonly values: V[];
}

/** A position in a {@link KeyIndex}; valid until the index changes. */
export interface KeyCursor<V> {
  /** The key in {@link toByteOrder} form, or `undefined` past the end. */
  readonly ordered: string | undefined;
  /** The value, or `undefined` past the end. */
  readonly value: V | undefined;
  next(): void;
}

/** What a bucket asks of its index. */
export interface OrderedKeys<V> {
  /** How many keys there are. */
  readonly size: number;
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  /** Whether it was there. */
  delete(key: string): boolean;
  /** A cursor at the first key at or, if `exclusive`, after `ordered` (in {@link toByteOrder} form). */
  seek(ordered: string, exclusive?: boolean): KeyCursor<V>;
  /** Every key with its value, in order; the index must not change meanwhile. */
  entries(): Iterable<[string, V]>;
}

/** Keys in UTF-8 byte order, each with a value. */
export class KeyIndex<V> implements OrderedKeys<V> {
  #chunks: Chunk<V>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    const ordered = toByteOrder(key);
    const chunk = this.#chunks[this.#chunkFor(ordered)];
    if (chunk === undefined) return undefined;
    const at = lowerBound(chunk.keys, ordered);
    return chunk.keys[at] === ordered ? chunk.values[at] : undefined;
  }

  set(key: string, value: V): void {
    const ordered = toByteOrder(key);
    const chunkAt = this.#chunkFor(ordered);
    const chunk = this.#chunks[chunkAt];
    if (chunk === undefined) {
      this.#chunks.push({ keys: [ordered], values: [value] });
      this.#size = 1;
      return;
    }
    const at = lowerBound(chunk.keys, ordered);
    if (chunk.keys[at] === ordered) {
      chunk.values[at] = value;
      return;
    }
    this.#size++;
    this.#insert(chunkAt, chunk, at, ordered, value);
  }

  delete(key: string): boolean {
    const ordered = toByteOrder(key);
    const chunkAt = this.#chunkFor(ordered);
    const chunk = this.#chunks[chunkAt];
    if (chunk === undefined) return false;
    const at = lowerBound(chunk.keys, ordered);
    if (chunk.keys[at] !== ordered) return false;
    chunk.keys.splice(at, 1);
    chunk.values.splice(at, 1);
    if (chunk.keys.length === 0) this.#chunks.splice(chunkAt, 1);
    this.#size--;
    return true;
  }

  seek(ordered: string, exclusive = false): KeyCursor<V> {
    const chunkAt = this.#chunkFor(ordered);
    const keys = this.#chunks[chunkAt]?.keys ?? [];
    let at = lowerBound(keys, ordered);
    if (exclusive && keys[at] === ordered) at++;
    return new ChunkCursor(this.#chunks, chunkAt, at);
  }

  *entries(): Generator<[string, V]> {
    for (const chunk of this.#chunks) {
      for (const [at, ordered] of chunk.keys.entries()) {
        yield [fromByteOrder(ordered), chunk.values[at] as V];
      }
    }
  }

  /** The last chunk that starts at or before `ordered`; 0 if none does. */
  #chunkFor(ordered: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#chunks[middle]?.keys[0] as string) <= ordered) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #insert(chunkAt: number, chunk: Chunk<V>, at: number, ordered: string, value: V): void {
    if (chunk.keys.length < MAX_CHUNK_KEYS) {
      insertAt(chunk, at, ordered, value);
      return;
    }
    // Keys that arrive in order leave full chunks behind; any other order splits in halves.
    const isAppend = at === chunk.keys.length && chunkAt === this.#chunks.length - 1;
    const splitAt = isAppend ? at : MAX_CHUNK_KEYS >>> 1;
    const upper: Chunk<V> = { keys: chunk.keys.splice(splitAt), values: chunk.values.splice(splitAt) };
    this.#chunks.splice(chunkAt + 1, 0, upper);
    if (at > splitAt || isAppend) insertAt(upper, at - splitAt, ordered, value);
    else insertAt(chunk, at, ordered, value);
  }
}

class ChunkCursor<V> implements KeyCursor<V> {
  readonly #chunks: readonly Chunk<V>[];
  #chunkAt: number;
  #at: number;

  constructor(chunks: readonly Chunk<V>[], chunkAt: number, at: number) {
    this.#chunks = chunks;
    this.#chunkAt = chunkAt;
    this.#at = at;
    this.#skipEnd();
  }

  get ordered(): string | undefined {
    return this.#chunks[this.#chunkAt]?.keys[this.#at];
  }

  get value(): V | undefined {
    return this.#chunks[this.#chunkAt]?.values[this.#at];
  }

  next(): void {
    this.#at++;
    this.#skipEnd();
  }

  #skipEnd(): void {
    const chunk = this.#chunks[this.#chunkAt];
    if (chunk === undefined || this.#at < chunk.keys.length) return;
    this.#chunkAt++;
    this.#at = 0;
  }
}

function insertAt<V>(chunk: Chunk<V>, at: number, ordered: string, value: V): void {
  if (at === chunk.keys.length) {
    chunk.keys.push(ordered);
    chunk.values.push(value);
    return;
  }
  chunk.keys.splice(at, 0, ordered);
  chunk.values.splice(at, 0, value);
}

function lowerBound(keys: readonly string[], ordered: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < ordered) low = middle + 1;
    else high = middle;
  }
  return low;
}
