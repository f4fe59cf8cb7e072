/** CSV manifests: S3 Batch Operations (`bucket,key[,…]`), S3 Inventory (the same, quoted), or one key a line. */

import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { CsvError, parse } from "csv-parse";
import { DomainError } from "../../domain/errors.ts";
import type { ManifestKey, ManifestReader } from "../../ports/manifest-reader.ts";
import type { ObjectStore } from "../../ports/object-store.ts";

/** Reads CSV manifests out of `store`; a name that ends in `.gz` is unpacked on the way. */
export function csvManifest(store: ObjectStore): ManifestReader {
  return {
    async *keys(at, bucket, after, signal) {
      const body = Readable.from(store.read(at, signal));
      const text = at.key.endsWith(".gz") ? body.pipe(createGunzip()) : body;
      const records = text.pipe(
        parse({ relax_column_count: true, skip_empty_lines: true, max_record_size: 65_536 }),
      );
      // `pipe` does not forward errors: without this a failed read would look like the end of the manifest.
      body.on("error", (error) => records.destroy(error));
      text.on("error", (error) => records.destroy(error));
      try {
        yield* keysOf(records, bucket, after);
      } finally {
        // The rest is not read, so the connection cannot be reused.
        body.destroy();
      }
    },
  };
}

async function* keysOf(
  records: AsyncIterable<string[]>,
  bucket: string,
  after: number,
): AsyncGenerator<ManifestKey> {
  let record = 0;
  try {
    for await (const fields of records) {
      record += 1;
      if (record > after) yield { key: keyOfRecord(fields, bucket, record), record };
    }
  } catch (error) {
    if (error instanceof CsvError || (error as NodeJS.ErrnoException).code?.startsWith("Z_")) {
      throw new DomainError(
        "manifest_invalid",
        `the manifest is not CSV: record ${record + 1} cannot be read`,
        {
          cause: error,
        },
      );
    }
    throw error;
  }
}

function keyOfRecord(fields: readonly string[], bucket: string, record: number): string {
  const [first = "", second] = fields;
  if (second !== undefined && first !== bucket) {
    throw invalid(record, `its first column should be the source bucket ${JSON.stringify(bucket)}`);
  }
  const encoded = second ?? first;
  const key = decodeFormKey(encoded);
  if (key === null || key === "") throw invalid(record, "its key is not URL-encoded");
  return key;
}

/** Manifests are form-encoded: `+` or `%20` is a space, a plus sign is `%2B` (S3 Batch Operations user guide). */
function decodeFormKey(encoded: string): string | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: raw control characters are what must be refused
  if (/[\u0000-\u001f]/.test(encoded)) return null;
  try {
    return decodeURIComponent(encoded.replaceAll("+", " "));
  } catch {
    return null;
  }
}

function invalid(record: number, what: string): DomainError {
  return new DomainError("manifest_invalid", `the manifest is not usable: record ${record}: ${what}`);
}
