/** Reads the answers to `CopyObject`: plain success here, everything else by the SDK. */

import { CopyObjectCommand, type CopyObjectCommandInput, type S3Client } from "@aws-sdk/client-s3";
import type { HttpResponse } from "../client/request-pools.ts";
import { readPlainXml } from "../read/plain-xml.ts";

/** A request as the SDK gives it to its HTTP handler. */
export interface SdkRequest {
  readonly protocol: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

const ETAG = /^(?:&quot;|&#34;|")?([\w.:+=/-]*)(?:&quot;|&#34;|")?$/;

/** The ETag in a plain `CopyObjectResult`, without quotes; null leaves the answer to {@link parseWithSdk}. */
export function parseCopyResultEtag({ status, body }: HttpResponse): string | null {
  if (status !== 200) return null;
  const result = readPlainXml(body.toString(), "CopyObjectResult", null);
  return ETAG.exec(result?.scalars.get("ETag") ?? "?")?.[1] ?? null;
}

/**
 * Has the SDK parse an answer that it did not fetch: gives the ETag, or throws what the SDK would have thrown. Costs as
 * much as sending by the SDK, but both paths have the same errors.
 */
export async function parseWithSdk(
  client: S3Client,
  input: CopyObjectCommandInput,
  response: HttpResponse,
): Promise<string | undefined> {
  const output = await client.send(copyAnsweredBy(input, () => response));
  return output.CopyObjectResult?.ETag;
}

/** A command whose signed request is given to `respond` in place of the HTTP handler. */
export function copyAnsweredBy(
  input: CopyObjectCommandInput,
  respond: (request: SdkRequest) => HttpResponse,
): CopyObjectCommand {
  const command = new CopyObjectCommand(input);
  command.middlewareStack.add(
    () => async (args) => {
      const { status, headers, body } = respond(args.request as SdkRequest);
      return { response: { statusCode: status, headers, body } };
    },
    { step: "deserialize", priority: "low", name: "copyAnsweredBy" },
  );
  return command;
}
