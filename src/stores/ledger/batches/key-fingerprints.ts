/**
 * Fingerprints of a batch's keys: four bytes each, by which the database itself finds the few batches that may hold
 * a key (`INSTR` over bytes) without reading or decompressing the others.
 *
 * A match may be chance, or straddle two fingerprints; the batch is read to find out. A miss is certain.
 */

/** The fingerprints of `keys`, one after the other. */
export function fingerprintsOf(keys: readonly string[]): Buffer {
  const bytes = Buffer.allocUnsafe(keys.length * 4);
  for (const [index, key] of keys.entries()) bytes.writeUInt32BE(hash(key), index * 4);
  return bytes;
}

/** Finds which of many keys a batch may hold, without opening it: for questions about more keys than a statement takes. */
export class FingerprintSearch {
  /** By fingerprint; two keys may share one. */
  readonly #keys = new Map<number, string[]>();
  /** Which first two bytes are among the fingerprints: most of a batch's are refused by this alone. */
  readonly #firstBytes = new Uint8Array(65_536);

  constructor(keys: Iterable<string>) {
    for (const key of keys) {
      const fingerprint = hash(key);
      const others = this.#keys.get(fingerprint);
      if (others === undefined) this.#keys.set(fingerprint, [key]);
      else others.push(key);
      this.#firstBytes[fingerprint >>> 16] = 1;
    }
  }

  /** The keys that may be among those whose fingerprints are given. */
  in(fingerprints: Buffer): string[] {
    const found: string[] = [];
    for (let at = 0; at + 4 <= fingerprints.length; at += 4) {
      const first = ((fingerprints[at] as number) << 8) | (fingerprints[at + 1] as number);
      if (this.#firstBytes[first] === 0) continue;
      found.push(...(this.#keys.get(fingerprints.readUInt32BE(at)) ?? []));
    }
    return found;
  }
}

/** FNV-1a over UTF-16 units (no two different strings are merged before hashing), mixed as in MurmurHash3's end. */
function hash(key: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) {
    const unit = key.charCodeAt(i);
    h = Math.imul(h ^ (unit & 0xff), 0x01000193);
    h = Math.imul(h ^ (unit >>> 8), 0x01000193);
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
