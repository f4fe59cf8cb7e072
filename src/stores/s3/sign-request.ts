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

/** What is signed. */
export interface SignedParts {
  readonly method: string;
  /** As sent, percent-encoded: S3 takes the path as it is, without normalising it. */
  readonly path: string;
  /** Of the signed headers, lower-case, sorted, with `;` between; `host` and `x-amz-date` must be among them. */
  readonly names: string;
  /** The same headers as `name:value` in the same order, each with a line feed; values without blanks at the ends. */
  readonly lines: string;
}

/** Signs requests; keeps the day's signing key, which costs four HMACs to derive. */
export class RequestSigner {
  #key: { readonly of: Signatory; readonly day: string; readonly bytes: Buffer } | null = null;

  /** The `authorization` header; `amzDate` as in `x-amz-date`. */
  authorization(by: Signatory, amzDate: string, { method, path, names, lines }: SignedParts): string {
    const day = amzDate.slice(0, 8);
    const scope = `${day}/${by.region}/s3/aws4_request`;
    const request = `${method}\n${path}\n\n${lines}\n${names}\n${EMPTY_PAYLOAD}`;
    const toSign = `AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n${hash("sha256", request)}`;
    const signature = createHmac("sha256", this.#keyOf(by, day)).update(toSign).digest("hex");
    return `AWS4-HMAC-SHA256 Credential=${by.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
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
