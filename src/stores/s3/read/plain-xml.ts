/** Reads the plain XML that stores answer with, at a fiftieth of what a general parser costs; anything else is refused. */

export interface PlainXml {
  /** Texts of the root's other children, entities not decoded. */
  readonly scalars: ReadonlyMap<string, string>;
  /** The children that there are many of, in order. */
  readonly entries: readonly RegExpExecArray[];
}

const DECLARATION = /^\s*(?:<\?xml version="1\.0"(?: encoding="UTF-8")?(?: standalone="yes")? ?\?>)?\s*/;
const ATTRIBUTES = /^(?: xmlns="[^"<>&\s]*")?>$/;
const SCALAR = /<(\w+)>([^<]*)<\/\1>|<(\w+)\/>/y;

/**
 * Reads a document whose root is `root` (attributes allowed), with children that are texts or match `entry` (sticky,
 * without comments and the like by its own strictness). Null: the document has anything else in it, or a scalar twice,
 * so the SDK's parser must say what it is.
 */
export function readPlainXml(document: string, root: string, entry: RegExp): PlainXml | null {
  const end = `</${root}>`;
  let at = rootContent(document, root);
  if (at === null) return null;
  const scalars = new Map<string, string>();
  const entries: RegExpExecArray[] = [];
  while (!document.startsWith(end, at)) {
    const matched = matchAt(entry, document, at);
    if (matched !== null) entries.push(matched);
    const found = matched ?? matchAt(SCALAR, document, at);
    if (found === null) return null;
    if (matched === null && !noteScalar(scalars, found)) return null;
    at += found[0].length;
  }
  return document.slice(at + end.length).trim() === "" ? { scalars, entries } : null;
}

/** False: there is one of that name already. */
function noteScalar(scalars: Map<string, string>, [, name, text = "", empty = ""]: RegExpExecArray): boolean {
  const isNew = !scalars.has(name ?? empty);
  scalars.set(name ?? empty, text);
  return isNew;
}

/** Where the content of the root element begins; null when the document does not begin with it. */
function rootContent(document: string, root: string): number | null {
  const start = DECLARATION.exec(document)?.[0].length ?? 0;
  const close = document.indexOf(">", start) + 1;
  const name = `<${root}`;
  if (!document.startsWith(name, start)) return null;
  return ATTRIBUTES.test(document.slice(start + name.length, close)) ? close : null;
}

function matchAt(pattern: RegExp, document: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(document);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** `text` with its entities decoded, as XML 1.0 names them; null when there is one it does not name. */
export function decodeEntities(text: string): string | null {
  if (!text.includes("&")) return text;
  let known = true;
  const decoded = text.replace(
    /&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(\w*));?/g,
    (whole, hex, decimal, name) => {
      const number = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      const character = name === undefined ? fromCodePoint(number) : ENTITIES[name];
      if (character === undefined || !whole.endsWith(";")) known = false;
      return character ?? "";
    },
  );
  return known ? decoded : null;
}

function fromCodePoint(number: number): string | undefined {
  return number <= 0x10_ffff ? String.fromCodePoint(number) : undefined;
}
