/** HMAC-SHA-256 with one key for many short texts, by hashes alone. */

import { hash } from "node:crypto";

/** Bytes in which SHA-256 works (RFC 2104 calls it B), and of its result. */
const BLOCK = 64;
const RESULT = 32;
/** Room for texts up to this length is kept; longer ones get their own. */
const USUAL_BYTES = 512;

/**
 * As `createHmac("sha256", key)`, which keeps memory outside the heap for each text until the garbage is collected: some
 * thousands at 8,000 signatures a second. Here nothing outlives the call.
 */
export class HmacSha256 {
  /** Key and text; the result of the inner hash goes into the outer one. */
  readonly #inner: Buffer;
  readonly #outer: Buffer;

  constructor(key: Uint8Array) {
    const block = Buffer.alloc(BLOCK);
    block.set(key.length > BLOCK ? hash("sha256", key, "buffer") : key);
    this.#inner = Buffer.alloc(BLOCK + USUAL_BYTES);
    this.#outer = Buffer.alloc(BLOCK + RESULT);
    for (const [at, byte] of block.entries()) {
      this.#inner[at] = byte ^ 0x36;
      this.#outer[at] = byte ^ 0x5c;
    }
  }

  /** In hexadecimal, of `text` in UTF-8. */
  hex(text: string): string {
    const bytes = Buffer.byteLength(text);
    const inner =
      bytes <= USUAL_BYTES ? this.#inner : Buffer.alloc(BLOCK + bytes, this.#inner.subarray(0, BLOCK));
    inner.write(text, BLOCK);
    this.#outer.set(hash("sha256", inner.subarray(0, BLOCK + bytes), "buffer"), BLOCK);
    return hash("sha256", this.#outer);
  }
}
