/** The parameters that all listings share, and the encoding of listed names. */

import { s3Error } from "./s3-error.ts";
import type { S3Request } from "./s3-request.ts";
import { element } from "./xml.ts";

const MAX_PAGE = 1000;
/** What S3's `encoding-type=url` leaves as it is. */
const PLAIN_NAME = /^[A-Za-z0-9._*/-]*$/;

/** Parameters of a listing. */
export interface ListingParameters {
  readonly prefix: string;
  readonly maxItems: number;
  /** Writes an element whose text is a key or part of one, encoded as the request asks. */
  readonly nameElement: (name: string, text: string | undefined) => string;
  /** The `EncodingType` element, if encoding was asked for. */
  readonly encodingElement: string;
}

/** Reads them; `maxParameter` is `max-keys` or `max-uploads`. Grouping by delimiter is not implemented. */
export function readListingParameters(request: S3Request, maxParameter: string): ListingParameters {
  const { query } = request.target;
  refuseParameters(request, ["delimiter"]);
  const encoding = query.get("encoding-type");
  if (encoding !== undefined && encoding !== "url") {
    throw s3Error("InvalidArgument", "Invalid Encoding Method specified in Request");
  }
  return {
    prefix: query.get("prefix") ?? "",
    maxItems: readMax(query.get(maxParameter), maxParameter),
    nameElement: encoding === "url" ? encodedElement : element,
    encodingElement: element("EncodingType", encoding),
  };
}

/** Throws NotImplemented where one of the parameters is given and not empty. */
export function refuseParameters({ target }: S3Request, names: readonly string[]): void {
  if (names.some((name) => (target.query.get(name) ?? "") !== "")) throw s3Error("NotImplemented");
}

/** Form-encodes a name but keeps its slashes: `a b/ä` becomes `a+b/%C3%A4`. */
export function encodeListedName(text: string): string {
  if (PLAIN_NAME.test(text)) return text;
  return encodeURIComponent(text)
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%2F", "/")
    .replaceAll("%20", "+");
}

function encodedElement(name: string, text: string | undefined): string {
  return text === undefined ? "" : `<${name}>${encodeListedName(text)}</${name}>`;
}

function readMax(text: string | undefined, name: string): number {
  if (text === undefined || text === "") return MAX_PAGE;
  if (!/^\d{1,10}$/.test(text)) {
    throw s3Error("InvalidArgument", `Provided ${name} not an integer or within integer range`);
  }
  return Math.min(Number(text), MAX_PAGE);
}
