/** AWS Signature Version 4 for S3 requests without body and query. */

import { createHmac, hash } from "node:crypto";

/** SHA-256 of an empty body. */
export const EMPTY_PAYLOAD = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Whose signature, and the region of its scope. */
export interface SigningIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

/** Derives signing keys, which costs four HMACs, and keeps the last one: it holds for a day. */
export class SigningKeyCache {
  #last: { readonly identity: SigningIdentity; readonly day: string; readonly key: Buffer } | null = null;

  /**
   * A signer for all requests of one second (`amzDate` as in `x-amz-date`) that have the same headers: `headerNames` in
   * lower case, sorted, joined by `;`, `host` and `x-amz-date` among them.
   */
  signer(identity: SigningIdentity, amzDate: string, headerNames: string): RequestSigner {
    return new RequestSigner(this.#keyFor(identity, amzDate.slice(0, 8)), identity, amzDate, headerNames);
  }

  #keyFor(identity: SigningIdentity, day: string): Buffer {
    const { secretAccessKey, region } = identity;
    const last = this.#last;
    const isSame = last?.day === day && last.identity.secretAccessKey === secretAccessKey;
    if (isSame && last.identity.region === region) return last.key;
    const key = [day, region, "s3", "aws4_request"].reduce<string | Buffer>(
      (secret, text) => createHmac("sha256", secret).update(text).digest(),
      `AWS4${secretAccessKey}`,
    ) as Buffer;
    this.#last = { identity, day, key };
    return key;
  }
}

/** Signs requests of one second, identity and set of header names. */
export class RequestSigner {
  readonly #key: Buffer;
  readonly #requestEnd: string;
  readonly #toSign: string;
  readonly #header: string;

  constructor(key: Buffer, { accessKeyId, region }: SigningIdentity, amzDate: string, headerNames: string) {
    const scope = `${amzDate.slice(0, 8)}/${region}/s3/aws4_request`;
    this.#key = key;
    this.#requestEnd = `\n${headerNames}\n${EMPTY_PAYLOAD}`;
    this.#toSign = `AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n`;
    this.#header = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${headerNames}, Signature=`;
  }

  /**
   * The `authorization` header. `path` as sent, percent-encoded: S3 does not normalise it. `headerLines`: a line
   * `name:value\n` for each header in the order of the names, values without blanks at their ends.
   */
  authorization(method: string, path: string, headerLines: string): string {
    const request = hash("sha256", `${method}\n${path}\n\n${headerLines}${this.#requestEnd}`);
    const signature = createHmac("sha256", this.#key).update(this.#toSign + request);
    return this.#header + signature.digest("hex");
  }
}

/** Formats times as in `x-amz-date`, `20260131T235959Z`; keeps the last second, which thousands of requests share. */
export class AmzDateFormatter {
  #second = Number.NaN;
  #text = "";

  format(epochMs: number): string {
    const second = Math.floor(epochMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = `${new Date(second * 1000).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
    }
    return this.#text;
  }
}
