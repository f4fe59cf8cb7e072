/** Resolves where the copies into a bucket are sent and how they are signed, by the SDK's own rules. */

import type { S3Client } from "@aws-sdk/client-s3";
import { copyAnsweredBy, type SdkRequest } from "./copy-response.ts";

/** Holds for every copy into one bucket. */
export interface CopyRoute {
  readonly origin: string;
  readonly host: string;
  /** All of the path before the key: `/`, `/bucket/`, `/prefix/bucket/`. */
  readonly pathPrefix: string;
  readonly region: string;
  readonly userAgent: string;
  /** Headers that carry the source's ETag; see `pinCopiesOnCeph`. */
  readonly pinHeaders: readonly string[];
}

const PROBE_KEY = "k";
const PROBE_ETAG = '"tranship"';
const SIGNED_FOR_S3 = /^AWS4-HMAC-SHA256 Credential=[^,]*\/\d{8}\/([^/,]+)\/s3\/aws4_request,/;
const PROBE_ANSWER = "<CopyObjectResult><ETag>tranship</ETag></CopyObjectResult>";

/**
 * Has the SDK build and sign a copy that is not sent, and reads endpoint, URL style, path prefix and region off it. Null
 * for buckets whose requests are signed in another way (directory buckets, multi-region access points). Throws what the
 * SDK throws, for example without credentials.
 */
export async function resolveRoute(client: S3Client, bucket: string): Promise<CopyRoute | null> {
  let request: SdkRequest | null = null;
  const probe = {
    Bucket: bucket,
    Key: PROBE_KEY,
    CopySource: "tranship/k",
    CopySourceIfMatch: PROBE_ETAG,
  };
  await client.send(
    copyAnsweredBy(probe, (built) => {
      request = built;
      return { status: 200, headers: {}, body: Buffer.from(PROBE_ANSWER) };
    }),
  );
  return request === null ? null : routeOf(request);
}

function routeOf({ protocol, path, headers }: SdkRequest): CopyRoute | null {
  const region = SIGNED_FOR_S3.exec(headers.authorization ?? "")?.[1];
  const { host } = headers;
  if (region === undefined || host === undefined || !path.endsWith(`/${PROBE_KEY}`)) return null;
  return {
    origin: `${protocol}//${host}`,
    host,
    pathPrefix: path.slice(0, -PROBE_KEY.length),
    region,
    userAgent: headers["user-agent"] ?? "tranship",
    pinHeaders: Object.keys(headers).filter((name) => headers[name] === PROBE_ETAG),
  };
}
