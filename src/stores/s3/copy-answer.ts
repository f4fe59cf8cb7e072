/** Reads the answers to copies: plain success at once, everything else as the SDK reads it. */

import { CopyObjectCommand, type CopyObjectCommandInput, type S3Client } from "@aws-sdk/client-s3";

/** An answer, read to its end. */
export interface CopyAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What the SDK would have sent. */
export interface SdkRequest {
  readonly protocol: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A whole document without attributes but the namespace, without comments, entities or depth: what stores answer. */
const FLAT_RESULT =
  /^\s*(?:<\?xml[^<>]*\?>)?\s*<CopyObjectResult(?:\s[^<>]*[^<>/])?>(?:\s*<(\w+)>[^<]*<\/\1>)*\s*<\/CopyObjectResult>\s*$/;
const ETAG = /<ETag>(?:&quot;|&#34;|")?([\w.:+=/-]*)(?:&quot;|&#34;|")?<\/ETag>/;

/** The ETag in an answer that is plain success; null means {@link readAsSdk} must say what it is. */
export function plainEtag({ status, body }: CopyAnswer): string | null {
  if (status !== 200) return null;
  const text = body.toString();
  if (!FLAT_RESULT.test(text) || text.indexOf("<ETag>") !== text.lastIndexOf("<ETag>")) return null;
  return ETAG.exec(text)?.[1] ?? null;
}

/**
 * Lets the SDK read an answer it did not fetch: gives the ETag, or throws just what the SDK would have thrown. Slow,
 * but failures are few, and there is one reader for them on either path.
 */
export async function readAsSdk(
  client: S3Client,
  input: CopyObjectCommandInput,
  answer: CopyAnswer,
): Promise<string | undefined> {
  const output = await client.send(answered(input, () => answer));
  return output.CopyObjectResult?.ETag;
}

/** A command whose request does not leave the process: `answer` sees it, signed, and answers in the store's place. */
export function answered(
  input: CopyObjectCommandInput,
  answer: (request: SdkRequest) => CopyAnswer,
): CopyObjectCommand {
  const command = new CopyObjectCommand(input);
  command.middlewareStack.add(
    () => async (args) => {
      const { status, headers, body } = answer(args.request as SdkRequest);
      return { response: { statusCode: status, headers, body } };
    },
    // After everything else, where the HTTP handler would be called.
    { step: "deserialize", priority: "low", name: "answerInPlaceOfTheStore" },
  );
  return command;
}
