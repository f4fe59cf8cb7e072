/** ManifestReader: reads a manifest, a list of keys in an object of the store. */

export interface ManifestKey {
  /** Decoded, exact. */
  readonly key: string;
  /** Number of the record in the file: 1, 2, … */
  readonly record: number;
}

export interface ManifestReader {
  /**
   * Keys of `bucket` in record order, beginning after record `after`. Throws `manifest_invalid`, naming the record, for an
   * invalid manifest, and the store's errors when it cannot be read.
   */
  keys(
    at: { readonly bucket: string; readonly key: string },
    bucket: string,
    after: number,
    signal?: AbortSignal,
  ): AsyncIterable<ManifestKey>;
}
