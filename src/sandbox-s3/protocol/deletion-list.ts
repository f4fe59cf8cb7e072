/** The body of DeleteObjects. */

import { s3Error } from "./s3-error.ts";
import { childText, readXml, type XmlNode } from "./xml-reader.ts";

/** One object to delete. */
export interface DeletionEntry {
  readonly key: string;
  readonly versionId: string | undefined;
  /** Delete only if the current object has this ETag. */
  readonly etag: string | undefined;
}

/** A bulk delete. */
export interface DeletionList {
  readonly entries: readonly DeletionEntry[];
  /** Report errors only. */
  readonly isQuiet: boolean;
}

const MAX_ENTRIES = 1000;

/** What a request that is no bulk delete deletes by its body. */
export const NO_DELETION: DeletionList = { entries: [], isQuiet: false };

/** The entries of a `<Delete>` document; throws MalformedXML unless there are 1 to 1,000. */
export function readDeletionList(body: Buffer): DeletionList {
  const root = readXml(body);
  if (root.name !== "Delete") throw s3Error("MalformedXML");
  const entries = root.children.filter((child) => child.name === "Object").map(readEntry);
  if (entries.length === 0 || entries.length > MAX_ENTRIES) throw s3Error("MalformedXML");
  return { entries, isQuiet: childText(root, "Quiet")?.trim().toLowerCase() === "true" };
}

function readEntry(node: XmlNode): DeletionEntry {
  let key = "";
  let versionId: string | undefined;
  let etag: string | undefined;
  for (const child of node.children) {
    if (child.name === "Key") key = child.text;
    else if (child.name === "VersionId") versionId = child.text || undefined;
    else if (child.name === "ETag") etag = child.text;
    else throw s3Error("MalformedXML");
  }
  if (key === "") throw s3Error("MalformedXML");
  return { key, versionId, etag };
}
