/** Computes the five checksums that S3 keeps with objects, piece by piece. */

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** The names S3 uses in headers (`x-amz-checksum-…`), in lower case. */
export const CHECKSUM_ALGORITHMS = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"] as const;

/** One of {@link CHECKSUM_ALGORITHMS}. */
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

/** A checksum being computed. */
export interface RunningChecksum {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

/** Starts a checksum. */
export function startChecksum(algorithm: ChecksumAlgorithm): RunningChecksum {
  switch (algorithm) {
    case "crc32":
      return startCrc32();
    case "crc32c":
      return startCrc32c();
    case "crc64nvme":
      return startCrc64();
    default:
      return startHash(algorithm);
  }
}

/** The element name S3 uses in XML, for example `ChecksumCRC64NVME`. */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm.toUpperCase()}`;
}

/** The algorithm a header value such as `CRC32` names, if S3 knows it. */
export function parseChecksumAlgorithm(name: string | undefined): ChecksumAlgorithm | undefined {
  const wanted = name?.toLowerCase();
  return CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === wanted);
}

function startHash(algorithm: "sha1" | "sha256"): RunningChecksum {
  const hash = createHash(algorithm);
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    digest: () => hash.digest(),
  };
}

function startCrc32(): RunningChecksum {
  let state = 0;
  return {
    update: (bytes) => {
      state = crc32(bytes, state);
    },
    digest: () => bigEndian(state),
  };
}

function startCrc32c(): RunningChecksum {
  let state = 0xffffffff;
  return {
    update: (bytes) => {
      for (const byte of bytes) state = (state >>> 8) ^ (CRC32C[(state ^ byte) & 0xff] as number);
    },
    digest: () => bigEndian(state ^ 0xffffffff),
  };
}

/** 64 bits in two halves: BigInt arithmetic is fifty times slower. */
function startCrc64(): RunningChecksum {
  let high = 0xffffffff;
  let low = 0xffffffff;
  return {
    update: (bytes) => {
      for (const byte of bytes) {
        const at = (low ^ byte) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ (CRC64.low[at] as number);
        high = (high >>> 8) ^ (CRC64.high[at] as number);
      }
    },
    digest: () => bigEndian(high ^ 0xffffffff, low ^ 0xffffffff),
  };
}

function bigEndian(...words: number[]): Buffer {
  const bytes = Buffer.alloc(words.length * 4);
  for (const [at, word] of words.entries()) bytes.writeUInt32BE(word >>> 0, at * 4);
  return bytes;
}

/** Castagnoli polynomial, reflected. */
const CRC32C = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

/** NVMe polynomial, reflected, split into halves. */
const CRC64 = (() => {
  const high = new Uint32Array(256);
  const low = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let value = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ 0x9a6c9329ac4bc9b5n : value >> 1n;
    high[byte] = Number(value >> 32n);
    low[byte] = Number(value & 0xffffffffn);
  }
  return { high, low };
})();
