/** The contents of objects: real bytes, generated patterns of any size, and joins of both. */

import { createHash, hash } from "node:crypto";
import { type ChecksumAlgorithm, startChecksum } from "../protocol/checksums.ts";

/** Bytes of an object; immutable, and shared by every copy of it. */
export interface ObjectBody {
  readonly size: number;
  /** Set when the contents are too large to compute with: names the contents, and stands in for them in digests. */
  readonly descriptor: string | undefined;
  /** The bytes from `start` up to, but without, `end`. */
  read(start: number, end: number): Buffer;
  /** The same range as a body, without copying. */
  slice(start: number, end: number): ObjectBody;
  /** MD5 in hexadecimal. */
  md5(): string;
  /** A checksum in base64. */
  checksum(algorithm: ChecksumAlgorithm): string;
}

const READ_BYTES = 1 << 20;
const PATTERN_BYTES = 1 << 16;
/** Above this size a pattern's digests come from its description, so that 5 GB cost nothing. */
const MAX_COMPUTED_PATTERN_BYTES = 1 << 20;

type Digests = { md5?: string } & Partial<Record<ChecksumAlgorithm, string>>;

/** A body that computes its digests when asked, and keeps them. */
export abstract class DigestedBody implements ObjectBody {
  abstract readonly size: number;
  abstract readonly descriptor: string | undefined;
  #digests: Digests | undefined;

  abstract read(start: number, end: number): Buffer;
  abstract slice(start: number, end: number): ObjectBody;

  md5(): string {
    this.#digests ??= {};
    this.#digests.md5 ??= this.#computeMd5();
    return this.#digests.md5;
  }

  checksum(algorithm: ChecksumAlgorithm): string {
    this.#digests ??= {};
    const known = this.#digests[algorithm];
    if (known !== undefined) return known;
    const running = startChecksum(algorithm);
    for (const piece of this.#pieces()) running.update(piece);
    const value = running.digest().toString("base64");
    this.#digests[algorithm] = value;
    return value;
  }

  #computeMd5(): string {
    if (this.descriptor === undefined && this.size <= READ_BYTES) return hash("md5", this.read(0, this.size));
    const running = createHash("md5");
    for (const piece of this.#pieces()) running.update(piece);
    return running.digest("hex");
  }

  *#pieces(): Generator<Buffer> {
    if (this.descriptor !== undefined) {
      yield Buffer.from(this.descriptor);
      return;
    }
    for (let at = 0; at < this.size; at += READ_BYTES)
      yield this.read(at, Math.min(at + READ_BYTES, this.size));
  }
}

/** A body of real bytes; the buffer is kept, not copied, and must not change afterwards. */
export class BytesBody extends DigestedBody {
  readonly size: number;
  readonly descriptor = undefined;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    super();
    this.#bytes = bytes;
    this.size = bytes.length;
  }

  read(start: number, end: number): Buffer {
    return start === 0 && end === this.size ? this.#bytes : this.#bytes.subarray(start, end);
  }

  slice(start: number, end: number): ObjectBody {
    return start === 0 && end === this.size ? this : new BytesBody(this.#bytes.subarray(start, end));
  }
}

/** A body generated from a seed when it is read; takes no memory whatever its size. */
export class PatternBody extends DigestedBody {
  readonly size: number;
  readonly seed: number;
  readonly offset: number;
  readonly descriptor: string | undefined;

  constructor(size: number, seed: number, offset = 0) {
    super();
    this.size = size;
    this.seed = seed;
    this.offset = offset;
    const isComputed = size <= MAX_COMPUTED_PATTERN_BYTES;
    // The pattern repeats, so ranges with equal contents get equal descriptions.
    this.descriptor = isComputed ? undefined : `pattern:${seed}:${offset % PATTERN_BYTES}:${size}`;
  }

  read(start: number, end: number): Buffer {
    const block = patternBlock(this.seed);
    const bytes = Buffer.allocUnsafe(end - start);
    let filled = 0;
    while (filled < bytes.length) {
      const from = (this.offset + start + filled) % PATTERN_BYTES;
      filled += block.copy(bytes, filled, from, PATTERN_BYTES);
    }
    return bytes;
  }

  slice(start: number, end: number): ObjectBody {
    return start === 0 && end === this.size
      ? this
      : new PatternBody(end - start, this.seed, this.offset + start);
  }
}

class JoinedBody extends DigestedBody {
  readonly size: number;
  readonly descriptor: string | undefined;
  readonly #pieces: readonly ObjectBody[];

  constructor(pieces: readonly ObjectBody[]) {
    super();
    this.#pieces = pieces;
    this.size = pieces.reduce((total, piece) => total + piece.size, 0);
    this.descriptor = pieces.some((piece) => piece.descriptor !== undefined)
      ? `joined:${pieces.map((piece) => piece.descriptor ?? piece.md5()).join(",")}`
      : undefined;
  }

  read(start: number, end: number): Buffer {
    const parts = this.#cut(start, end).map((piece) => piece.read(0, piece.size));
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  slice(start: number, end: number): ObjectBody {
    return joinBodies(this.#cut(start, end));
  }

  #cut(start: number, end: number): ObjectBody[] {
    const cut: ObjectBody[] = [];
    let at = 0;
    for (const piece of this.#pieces) {
      const from = Math.max(start - at, 0);
      const to = Math.min(end - at, piece.size);
      if (from < to) cut.push(piece.slice(from, to));
      at += piece.size;
    }
    return cut;
  }
}

/** One body after another; neighbouring ranges of one pattern become a single range again. */
export function joinBodies(bodies: readonly ObjectBody[]): ObjectBody {
  const joined: ObjectBody[] = [];
  for (const body of bodies) {
    const merged = mergePatterns(joined.at(-1), body);
    if (merged === undefined) joined.push(body);
    else joined[joined.length - 1] = merged;
  }
  return joined.length === 1 ? (joined[0] as ObjectBody) : new JoinedBody(joined);
}

function mergePatterns(before: ObjectBody | undefined, after: ObjectBody): ObjectBody | undefined {
  if (!(before instanceof PatternBody && after instanceof PatternBody)) return undefined;
  if (before.seed !== after.seed || before.offset + before.size !== after.offset) return undefined;
  return new PatternBody(before.size + after.size, before.seed, before.offset);
}

function patternBlock(seed: number): Buffer {
  const block = Buffer.allocUnsafe(PATTERN_BYTES);
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  for (let at = 0; at < PATTERN_BYTES; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    block.writeUInt32LE(state >>> 0, at);
  }
  return block;
}
