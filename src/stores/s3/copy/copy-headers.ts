/** The signed headers of single copies, from templates that hold for one second and all copies with equal options. */

import type { CopyObjectCommandInput } from "@aws-sdk/client-s3";
import {
  EMPTY_PAYLOAD,
  type RequestSigner,
  type SigningIdentity,
  type SigningKeyCache,
} from "../client/sign-request.ts";
import type { CopyRoute } from "./copy-route.ts";

/** The fields that the headers are made from; other fields of `CopyObject` would be left out. */
export type SingleCopyInput = Pick<CopyObjectCommandInput, OptionField> & {
  readonly Bucket: string;
  readonly Key: string;
  readonly CopySource: string;
  readonly CopySourceIfMatch: string;
};

/** Fields in which the copies of a job rarely differ. */
type OptionField = "MetadataDirective" | "TaggingDirective" | "StorageClass" | "IfNoneMatch";

const OPTION_HEADERS: readonly (readonly [name: string, field: OptionField])[] = [
  ["if-none-match", "IfNoneMatch"],
  ["x-amz-metadata-directive", "MetadataDirective"],
  ["x-amz-tagging-directive", "TaggingDirective"],
  ["x-amz-storage-class", "StorageClass"],
];

/** `sessionToken` belongs to temporary credentials. */
export interface CopyCredentials extends Omit<SigningIdentity, "region"> {
  readonly sessionToken?: string | undefined;
}

/** A field whose value each copy fills in. */
type Placeholder = "CopySource" | "CopySourceIfMatch";
type Header = readonly [name: string, value: string | { readonly placeholder: Placeholder }];

/** Builds the headers of copies along one route; keeps the templates of one second and one set of credentials. */
export class CopyHeaderCache {
  readonly #route: CopyRoute;
  readonly #keys: SigningKeyCache;
  #amzDate = "";
  #credentials: CopyCredentials | null = null;
  #templates: { readonly options: SingleCopyInput; readonly template: HeaderTemplate }[] = [];

  constructor(route: CopyRoute, keys: SigningKeyCache) {
    this.#route = route;
    this.#keys = keys;
  }

  /**
   * All headers of the copy, the signature among them, names and values alternating. `path` as sent, percent-encoded;
   * `amzDate` as in `x-amz-date`.
   */
  headersFor(input: SingleCopyInput, path: string, amzDate: string, credentials: CopyCredentials): string[] {
    if (amzDate !== this.#amzDate || credentials !== this.#credentials) {
      this.#amzDate = amzDate;
      this.#credentials = credentials;
      this.#templates = [];
    }
    for (const { options, template } of this.#templates)
      if (haveEqualOptions(options, input)) return template.fill(input, path);
    const template = this.#newTemplate(input, amzDate, credentials);
    this.#templates.push({ options: input, template });
    return template.fill(input, path);
  }

  #newTemplate(input: SingleCopyInput, amzDate: string, credentials: CopyCredentials): HeaderTemplate {
    const { host, pinHeaders, region, userAgent } = this.#route;
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const signed: Header[] = [
      ["host", host],
      ["x-amz-content-sha256", EMPTY_PAYLOAD],
      ["x-amz-copy-source", { placeholder: "CopySource" }],
      ["x-amz-date", amzDate],
    ];
    for (const name of pinHeaders) signed.push([name, { placeholder: "CopySourceIfMatch" }]);
    if (sessionToken !== undefined) signed.push(["x-amz-security-token", sessionToken]);
    for (const [name, field] of OPTION_HEADERS) {
      const value = input[field];
      if (value !== undefined) signed.push([name, value]);
    }
    signed.sort(([one], [other]) => (one < other ? -1 : 1));
    const names = signed.map(([name]) => name).join(";");
    const signer = this.#keys.signer({ accessKeyId, secretAccessKey, region }, amzDate, names);
    return new HeaderTemplate(signed, userAgent, signer);
  }
}

function haveEqualOptions(one: SingleCopyInput, other: SingleCopyInput): boolean {
  return OPTION_HEADERS.every(([, field]) => one[field] === other[field]);
}

/** Stands for a placeholder in signed text; no header can contain it. */
const GAP = "\0";

/** Headers with placeholders. */
class HeaderTemplate {
  readonly #signer: RequestSigner;
  readonly #headers: readonly string[];
  /** In order, each with the index of its value in `#headers`. */
  readonly #placeholders: readonly (readonly [field: Placeholder, at: number])[];
  /** The signed text before, between and after the placeholders. */
  readonly #texts: readonly string[];

  constructor(signed: readonly Header[], userAgent: string, signer: RequestSigner) {
    const known = signed.map(([name, value]) => [name, typeof value === "string" ? value : GAP] as const);
    this.#signer = signer;
    this.#headers = [...known.flat(), "user-agent", userAgent, "authorization", ""];
    this.#placeholders = signed.flatMap(([, value], at) =>
      typeof value === "string" ? [] : [[value.placeholder, 2 * at + 1] as const],
    );
    this.#texts = known
      .map(([name, value]) => `${name}:${value}\n`)
      .join("")
      .split(GAP);
  }

  fill(input: SingleCopyInput, path: string): string[] {
    const headers = this.#headers.slice();
    let lines = this.#texts[0] ?? "";
    let next = 1;
    for (const [field, at] of this.#placeholders) {
      const value = input[field];
      headers[at] = value;
      lines += value + this.#texts[next];
      next += 1;
    }
    headers[headers.length - 1] = this.#signer.authorization("PUT", path, lines);
    return headers;
  }
}
