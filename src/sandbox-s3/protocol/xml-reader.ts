/** Reads the XML of requests strictly: what XML 1.0 forbids is MalformedXML, as on S3. */

import { s3Error } from "./s3-error.ts";

/** An element of a request document. */
export interface XmlNode {
  readonly name: string;
  readonly children: XmlNode[];
  /** The element's own text, exactly as sent after entities are resolved. */
  text: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters XML 1.0 forbids
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const TOKEN =
  /<(\/?)([A-Za-z_][\w.-]*(?::[\w.-]+)?)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|<\?[^?]*\?>|<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|([^<]+)/y;
const REFERENCE = /&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));|&/g;
const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** The root element of `bytes`; throws MalformedXML unless the document is well-formed UTF-8. */
export function readXml(bytes: Buffer): XmlNode {
  const text = decodeDocument(bytes);
  const top: XmlNode = { name: "", children: [], text: "" };
  const open: XmlNode[] = [top];
  const pattern = new RegExp(TOKEN);
  while (pattern.lastIndex < text.length) {
    const token = pattern.exec(text);
    if (token === null) throw s3Error("MalformedXML");
    applyToken(token, open);
  }
  const root = top.children[0];
  if (open.length !== 1 || root === undefined || top.children.length !== 1 || top.text.trim() !== "") {
    throw s3Error("MalformedXML");
  }
  return root;
}

/** The text of the first child called `name`. */
export function childText(node: XmlNode, name: string): string | undefined {
  return node.children.find((child) => child.name === name)?.text;
}

function applyToken(token: RegExpExecArray, open: XmlNode[]): void {
  const [, closing, name, , selfClosing, cdata, text] = token;
  const parent = open.at(-1) as XmlNode;
  if (name !== undefined) {
    if (closing === "/") closeElement(name, open);
    else openElement(name, selfClosing === "/", parent, open);
  } else if (text !== undefined) {
    parent.text += text.includes("&") ? resolveReferences(text) : text;
  } else if (cdata !== undefined) {
    parent.text += cdata;
  }
}

function openElement(name: string, isEmpty: boolean, parent: XmlNode, open: XmlNode[]): void {
  const node: XmlNode = { name, children: [], text: "" };
  parent.children.push(node);
  if (!isEmpty) open.push(node);
}

function closeElement(name: string, open: XmlNode[]): void {
  if (open.length === 1 || open.pop()?.name !== name) throw s3Error("MalformedXML");
}

function decodeDocument(bytes: Buffer): string {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw s3Error("MalformedXML");
  }
  if (FORBIDDEN.test(text)) throw s3Error("MalformedXML");
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}

function resolveReferences(text: string): string {
  return text.replace(REFERENCE, (_whole, named, decimal, hexadecimal) => {
    if (named !== undefined) return NAMED[named] ?? "";
    if (decimal !== undefined) return fromCodePoint(Number(decimal));
    if (hexadecimal !== undefined) return fromCodePoint(Number.parseInt(hexadecimal, 16));
    throw s3Error("MalformedXML");
  });
}

function fromCodePoint(code: number): string {
  const isSurrogate = code >= 0xd800 && code <= 0xdfff;
  if (code > 0x10ffff || isSurrogate) throw s3Error("MalformedXML");
  const character = String.fromCodePoint(code);
  if (FORBIDDEN.test(character)) throw s3Error("MalformedXML");
  return character;
}
