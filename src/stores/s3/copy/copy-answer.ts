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

const DECLARATION = "<?xml";
const ROOT = "<CopyObjectResult";
const END = "</CopyObjectResult>";
const NAME = /^\w+$/;
const ETAG = /^(?:&quot;|&#34;|")?([\w.:+=/-]*)(?:&quot;|&#34;|")?$/;

/**
 * The ETag in an answer that is plain success; null means {@link readAsSdk} must say what it is. Plain is a whole
 * document without attributes but the namespace, without comments, entities or depth: what stores answer. Read by hand,
 * as every copy's answer comes by here: a regular expression over the whole of it left 2 kB of garbage each time.
 */
export function plainEtag({ status, body }: CopyAnswer): string | null {
  if (status !== 200) return null;
  const text = body.toString();
  let at = afterRoot(text);
  if (at < 0) return null;
  let etag: string | null = null;
  for (at = afterBlanks(text, at); !text.startsWith(END, at); at = afterBlanks(text, at)) {
    const element = flatElementAt(text, at);
    if (element === null) return null;
    if (element.name === "ETag") {
      const value: string | undefined = etag === null ? ETAG.exec(element.value)?.[1] : undefined;
      if (value === undefined) return null;
      etag = value;
    }
    at = element.end;
  }
  return afterBlanks(text, at + END.length) === text.length ? etag : null;
}

/** `<name>value</name>` at `at`, without anything inside it. */
function flatElementAt(text: string, at: number) {
  const nameEnd = text.indexOf(">", at);
  const valueEnd = text.indexOf("<", nameEnd);
  const name = text.slice(at + 1, nameEnd);
  const isFlat =
    text[at] === "<" && nameEnd > 0 && NAME.test(name) && text.startsWith(`</${name}>`, valueEnd);
  if (!isFlat) return null;
  return { name, value: text.slice(nameEnd + 1, valueEnd), end: valueEnd + name.length + "</>".length };
}

/** Where the content of the root element begins; -1 when the document does not begin with one. */
function afterRoot(text: string): number {
  let at = afterBlanks(text, 0);
  if (text.startsWith(DECLARATION, at)) {
    const declared = text.indexOf("?>", at);
    // Of any other construct it is not known where it ends.
    if (declared < 0 || text.indexOf("<", at + 1) < declared) return -1;
    at = afterBlanks(text, declared + 2);
  }
  const end = text.indexOf(">", at);
  const begun = at + ROOT.length;
  if (!text.startsWith(ROOT, at) || end < 0 || text[end - 1] === "/") return -1;
  const hasAttributes = end > begun;
  return hasAttributes && (!isBlank(text.charCodeAt(begun)) || text.indexOf("<", begun) < end) ? -1 : end + 1;
}

function afterBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text.charCodeAt(at))) at += 1;
  return at;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
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
