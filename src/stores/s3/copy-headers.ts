/** The headers of a single copy, in the order signatures want them: sorted once for each kind of copy, not for each copy. */

import type { CopyObjectCommandInput } from "@aws-sdk/client-s3";
import type { CopyRoute } from "./copy-route.ts";
import { EMPTY_PAYLOAD, type SignedParts } from "./sign-request.ts";

/** The fields a single copy has; a copy of anything else would be sent incompletely. */
export type SingleCopyInput = Pick<
  CopyObjectCommandInput,
  "MetadataDirective" | "TaggingDirective" | "StorageClass" | "IfNoneMatch"
> & {
  readonly Bucket: string;
  readonly Key: string;
  readonly CopySource: string;
  readonly CopySourceIfMatch: string;
};

/** What its headers are made of. */
export interface CopyHeaderFields {
  readonly input: SingleCopyInput;
  /** As in `x-amz-date`. */
  readonly amzDate: string;
  readonly sessionToken: string | undefined;
}

interface Header {
  readonly name: string;
  valueOf(fields: CopyHeaderFields): string | undefined;
}

/** Signed headers that are there, by their names. */
interface Layout {
  readonly headers: readonly Header[];
  /** As signatures list them. */
  readonly names: string;
}

const OPTIONAL: readonly Header[] = [
  { name: "if-none-match", valueOf: ({ input }) => input.IfNoneMatch },
  { name: "x-amz-metadata-directive", valueOf: ({ input }) => input.MetadataDirective },
  { name: "x-amz-tagging-directive", valueOf: ({ input }) => input.TaggingDirective },
  { name: "x-amz-storage-class", valueOf: ({ input }) => input.StorageClass },
  { name: "x-amz-security-token", valueOf: ({ sessionToken }) => sessionToken },
];

/** The headers of copies along one route. */
export class CopyHeaders {
  readonly #route: CopyRoute;
  /** By which of the optional headers are there, as bits. */
  readonly #layouts: Layout[] = [];

  constructor(route: CopyRoute) {
    this.#route = route;
  }

  /** What of them is signed, and all that is sent but the signature, names and values by turns. */
  of(fields: CopyHeaderFields): Pick<SignedParts, "names" | "lines"> & { readonly sent: string[] } {
    const { headers, names } = this.#layoutOf(fields);
    const sent: string[] = [];
    let lines = "";
    for (const header of headers) {
      const value = header.valueOf(fields) as string;
      sent.push(header.name, value);
      lines += `${header.name}:${value}\n`;
    }
    sent.push("user-agent", this.#route.userAgent);
    return { names, lines, sent };
  }

  #layoutOf(fields: CopyHeaderFields): Layout {
    let bits = 0;
    for (let at = 0; at < OPTIONAL.length; at += 1) {
      if (OPTIONAL[at]?.valueOf(fields) !== undefined) bits |= 1 << at;
    }
    const known = this.#layouts[bits];
    if (known !== undefined) return known;
    const there = OPTIONAL.filter((_, at) => (bits & (1 << at)) !== 0);
    const headers = [...this.#always(), ...there].sort((one, other) => (one.name < other.name ? -1 : 1));
    const layout = { headers, names: headers.map(({ name }) => name).join(";") };
    this.#layouts[bits] = layout;
    return layout;
  }

  #always(): Header[] {
    const { host, pinHeaders } = this.#route;
    return [
      { name: "host", valueOf: () => host },
      { name: "x-amz-content-sha256", valueOf: () => EMPTY_PAYLOAD },
      { name: "x-amz-copy-source", valueOf: ({ input }) => input.CopySource },
      { name: "x-amz-date", valueOf: ({ amzDate }) => amzDate },
      ...pinHeaders.map((name) => ({
        name,
        valueOf: ({ input }: CopyHeaderFields) => input.CopySourceIfMatch,
      })),
    ];
  }
}
