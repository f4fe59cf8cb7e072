/** Parses the plain XML that stores answer with, at a fiftieth of the SDK's cost; anything else is left to the SDK. */

export interface PlainXml {
  /** Texts of the root's children by name, entities not decoded. */
  readonly scalars: ReadonlyMap<string, string>;
  /** The children that match the caller's pattern, in order. */
  readonly entries: readonly RegExpExecArray[];
}

const DECLARATION = /^\s*(?:<\?xml version="1\.0"(?: encoding="UTF-8")?(?: standalone="yes")? ?\?>)?\s*/;
const ATTRIBUTES = /^(?: xmlns="[^"<>&\s]*")?>$/;
const SCALAR = /<(\w+)>([^<]*)<\/\1>|<(\w+)\/>/y;

/**
 * Parses a document whose root is `root`, without attributes but a namespace, and whose children are texts or match
 * `entry`, a sticky pattern. Null: there is anything else in it, or two texts of one name, so the SDK has to parse it.
 */
export function readPlainXml(document: string, root: string, entry: RegExp | null): PlainXml | null {
  const end = `</${root}>`;
  let at = rootContent(document, root);
  if (at === null) return null;
  const scalars = new Map<string, string>();
  const entries: RegExpExecArray[] = [];
  while (!document.startsWith(end, at)) {
    const matched = entry && matchAt(entry, document, at);
    if (matched !== null) entries.push(matched);
    const found = matched ?? matchAt(SCALAR, document, at);
    if (found === null) return null;
    if (matched === null && !addScalar(scalars, found)) return null;
    at += found[0].length;
  }
  return document.slice(at + end.length).trim() === "" ? { scalars, entries } : null;
}

/** False: there is one of that name already. */
function addScalar(scalars: Map<string, string>, [, name, text = "", empty = ""]: RegExpExecArray): boolean {
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

/** `text` with its entities decoded as XML 1.0 defines them; null when one is not defined there. */
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
