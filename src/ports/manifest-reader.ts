/** Reads a manifest: a list of keys somebody else has made. */

export interface ManifestKey {
  /** Decoded, exact. */
  readonly key: string;
  /** 1, 2, … by record of the file. */
  readonly record: number;
}

export interface ManifestReader {
  /**
   * Keys of `bucket` in record order, beginning after record `after`. Throws `manifest_invalid`, naming the record,
   * for anything that is not a manifest, and what the store throws when it cannot be read.
   */
  keys(
    at: { readonly bucket: string; readonly key: string },
    bucket: string,
    after: number,
    signal?: AbortSignal,
  ): AsyncIterable<ManifestKey>;
}
