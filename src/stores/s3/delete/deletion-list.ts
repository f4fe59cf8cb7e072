/** Writes the long list of a bulk deletion in the SDK's place: it takes 5 ms for a thousand keys, and copies wait for it. */

import { DeleteObjectsCommand } from "@aws-sdk/client-s3";

/** An object to delete; with an ETag, only if it still has that one, quotes included. */
export interface ListedDeletion {
  readonly key: string;
  readonly etag: string | null;
}

const OPENING =
  '<?xml version="1.0" encoding="UTF-8"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">';
const CLOSING = "<Quiet>false</Quiet></Delete>";
const SPECIAL = /[&"'<>\r\n\u0085\u2028]/;
const EACH_SPECIAL = new RegExp(SPECIAL, "g");

/** Deletes `objects` from `bucket` and asks for an answer on each. */
export function bulkDeletion(bucket: string, objects: readonly ListedDeletion[]): DeleteObjectsCommand {
  const command = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: [] } });
  command.middlewareStack.add(
    (next) => (args) => {
      (args.request as { body: unknown }).body = deletionList(objects);
      return next(args);
    },
    // First thing after the SDK has written its own: before length, checksum and signature are reckoned.
    { step: "build", priority: "high", name: "writeDeletionList" },
  );
  return command;
}

/** Byte for byte what the SDK would write. */
export function deletionList(objects: readonly ListedDeletion[]): string {
  let list = OPENING;
  for (const { key, etag } of objects) {
    const condition = etag === null ? "" : `<ETag>${escaped(etag)}</ETag>`;
    list += `<Object><Key>${escaped(key)}</Key>${condition}</Object>`;
  }
  return list + CLOSING;
}

/** As the SDK escapes text. */
function escaped(text: string): string {
  if (!SPECIAL.test(text)) return text;
  return text.replace(EACH_SPECIAL, (character) => ENTITIES.get(character) ?? "");
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ['"', "&quot;"],
  ["'", "&apos;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ["\r", "&#x0D;"],
  ["\n", "&#x0A;"],
  ["\u0085", "&#x85;"],
  ["\u2028", "&#x2028;"],
]);
