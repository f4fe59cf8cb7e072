/**
 * Fingerprints of a batch's keys: four bytes each, by which the database itself finds the few batches that may hold
 * a key (`INSTR` over bytes) without reading or decompressing the others.
 *
 * A match may be chance, or straddle two fingerprints; whoever finds one looks into the batch. A miss is certain.
 */

/** The fingerprints of `keys`, one after the other. */
export function fingerprintsOf(keys: readonly string[]): Buffer {
  const bytes = Buffer.allocUnsafe(keys.length * 4);
  for (const [index, key] of keys.entries()) bytes.writeUInt32BE(hash(key), index * 4);
  return bytes;
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
