/** The headers of single copies: sorted and written once a second for each kind of copy, and filled in for each copy. */

import type { CopyObjectCommandInput } from "@aws-sdk/client-s3";
import {
  EMPTY_PAYLOAD,
  type RequestSigner,
  type Signatory,
  type SignatureSheet,
} from "../client/sign-request.ts";
import type { CopyRoute } from "./copy-route.ts";

/** The fields a single copy has; a copy of anything else would be sent incompletely. */
export type SingleCopyInput = Pick<CopyObjectCommandInput, KindField> & {
  readonly Bucket: string;
  readonly Key: string;
  readonly CopySource: string;
  readonly CopySourceIfMatch: string;
};

/** Fields in which the copies of a job hardly differ. */
type KindField = "MetadataDirective" | "TaggingDirective" | "StorageClass" | "IfNoneMatch";

const KIND_HEADERS: readonly (readonly [name: string, field: KindField])[] = [
  ["if-none-match", "IfNoneMatch"],
  ["x-amz-metadata-directive", "MetadataDirective"],
  ["x-amz-tagging-directive", "TaggingDirective"],
  ["x-amz-storage-class", "StorageClass"],
];

/** Who signs; `sessionToken` belongs to temporary credentials. */
export interface CopyCredentials extends Omit<Signatory, "region"> {
  readonly sessionToken?: string | undefined;
}

/** A header whose value is known only with the copy. */
type Open = "CopySource" | "CopySourceIfMatch";
type Header = readonly [name: string, value: string | { readonly open: Open }];

/** The headers of copies along one route. */
export class CopyHeaders {
  readonly #route: CopyRoute;
  readonly #signer: RequestSigner;
  /** What `#sheets` are for. */
  #amzDate = "";
  #credentials: CopyCredentials | null = null;
  #sheets: { readonly kind: SingleCopyInput; readonly sheet: CopySheet }[] = [];

  constructor(route: CopyRoute, signer: RequestSigner) {
    this.#route = route;
    this.#signer = signer;
  }

  /**
   * All headers of the copy, signed, names and values by turns. `path` as sent, percent-encoded; `amzDate` as in
   * `x-amz-date`.
   */
  of(input: SingleCopyInput, path: string, amzDate: string, credentials: CopyCredentials): string[] {
    if (amzDate !== this.#amzDate || credentials !== this.#credentials) {
      this.#amzDate = amzDate;
      this.#credentials = credentials;
      this.#sheets = [];
    }
    for (const { kind, sheet } of this.#sheets)
      if (areOfOneKind(kind, input)) return sheet.filled(input, path);
    const sheet = this.#newSheet(input, amzDate, credentials);
    this.#sheets.push({ kind: input, sheet });
    return sheet.filled(input, path);
  }

  #newSheet(input: SingleCopyInput, amzDate: string, credentials: CopyCredentials): CopySheet {
    const { host, pinHeaders, region, userAgent } = this.#route;
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const signed: Header[] = [
      ["host", host],
      ["x-amz-content-sha256", EMPTY_PAYLOAD],
      ["x-amz-copy-source", { open: "CopySource" }],
      ["x-amz-date", amzDate],
    ];
    for (const name of pinHeaders) signed.push([name, { open: "CopySourceIfMatch" }]);
    if (sessionToken !== undefined) signed.push(["x-amz-security-token", sessionToken]);
    for (const [name, field] of KIND_HEADERS) {
      const value = input[field];
      if (value !== undefined) signed.push([name, value]);
    }
    signed.sort(([one], [other]) => (one < other ? -1 : 1));
    const names = signed.map(([name]) => name).join(";");
    const by = { accessKeyId, secretAccessKey, region };
    return new CopySheet(signed, userAgent, this.#signer.sheet(by, amzDate, names));
  }
}

function areOfOneKind(one: SingleCopyInput, other: SingleCopyInput): boolean {
  return (
    one.StorageClass === other.StorageClass &&
    one.IfNoneMatch === other.IfNoneMatch &&
    one.MetadataDirective === other.MetadataDirective &&
    one.TaggingDirective === other.TaggingDirective
  );
}

/** Headers with gaps. */
class CopySheet {
  readonly #signature: SignatureSheet;
  readonly #sent: readonly string[];
  /** The gaps in order, each with its place in `#sent` and the signed text between it and the next. */
  readonly #gaps: readonly { readonly open: Open; readonly at: number; readonly textAfter: string }[];
  readonly #textBefore: string;

  constructor(signed: readonly Header[], userAgent: string, signature: SignatureSheet) {
    this.#signature = signature;
    const sent: string[] = [];
    const gaps: { open: Open; at: number; textAfter: string }[] = [];
    let text = "";
    let textBefore = "";
    const endText = () => {
      const last = gaps.at(-1);
      if (last === undefined) textBefore = text;
      else last.textAfter = text;
      text = "";
    };
    for (const [name, value] of signed) {
      const known = typeof value === "string" ? value : "";
      text += `${name}:${known}`;
      sent.push(name, known);
      if (typeof value !== "string") {
        endText();
        gaps.push({ open: value.open, at: sent.length - 1, textAfter: "" });
      }
      text += "\n";
    }
    endText();
    this.#sent = [...sent, "user-agent", userAgent, "authorization", ""];
    this.#gaps = gaps;
    this.#textBefore = textBefore;
  }

  filled(input: SingleCopyInput, path: string): string[] {
    const sent = this.#sent.slice();
    let lines = this.#textBefore;
    for (const { open, at, textAfter } of this.#gaps) {
      const value = input[open];
      sent[at] = value;
      lines += value + textAfter;
    }
    sent[sent.length - 1] = this.#signature.authorization("PUT", path, lines);
    return sent;
  }
}
