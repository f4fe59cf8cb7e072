/** AWS Signature Version 4 for requests without body and query, as S3 wants it. */

import { createHmac, hash } from "node:crypto";

/** SHA-256 of nothing. */
export const EMPTY_PAYLOAD = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Who signs, and for where. */
export interface Signatory {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

/** Signs requests; keeps the day's signing key, which costs four HMACs to derive. */
export class RequestSigner {
  #key: { readonly of: Signatory; readonly day: string; readonly bytes: Buffer } | null = null;

  /**
   * For the signatures of one second, as in `x-amz-date`, and of one set of headers: their names in lower case, sorted,
   * with `;` between, `host` and `x-amz-date` among them.
   */
  sheet(by: Signatory, amzDate: string, names: string): SignatureSheet {
    return new SignatureSheet(this.#keyOf(by, amzDate.slice(0, 8)), by, amzDate, names);
  }

  #keyOf(by: Signatory, day: string): Buffer {
    const known = this.#key;
    const fits =
      known?.day === day && known.of.secretAccessKey === by.secretAccessKey && known.of.region === by.region;
    if (known !== null && fits) return known.bytes;
    const start = createHmac("sha256", `AWS4${by.secretAccessKey}`).update(day).digest();
    const bytes = [by.region, "s3", "aws4_request"].reduce(
      (key, text) => createHmac("sha256", key).update(text).digest(),
      start,
    );
    this.#key = { of: by, day, bytes };
    return bytes;
  }
}

/** What the signatures of many requests have in common. */
export class SignatureSheet {
  readonly #key: Buffer;
  readonly #requestEnd: string;
  readonly #toSign: string;
  readonly #header: string;

  constructor(key: Buffer, { accessKeyId, region }: Signatory, amzDate: string, names: string) {
    const scope = `${amzDate.slice(0, 8)}/${region}/s3/aws4_request`;
    this.#key = key;
    this.#requestEnd = `\n${names}\n${EMPTY_PAYLOAD}`;
    this.#toSign = `AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n`;
    this.#header = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=`;
  }

  /**
   * The `authorization` header. `path` as sent, percent-encoded: S3 takes it as it is, without normalising it; `lines` are
   * the headers as `name:value` in the order of their names, each with a line feed, values without blanks at the ends.
   */
  authorization(method: string, path: string, lines: string): string {
    const request = hash("sha256", `${method}\n${path}\n\n${lines}${this.#requestEnd}`);
    return (
      this.#header +
      createHmac("sha256", this.#key)
        .update(this.#toSign + request)
        .digest("hex")
    );
  }
}

/** `20260131T235959Z`; remembers the last second, as thousands of requests share it. */
export class AmzDates {
  #second = Number.NaN;
  #text = "";

  at(ms: number): string {
    const second = Math.floor(ms / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = `${new Date(second * 1000).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
    }
    return this.#text;
  }
}
