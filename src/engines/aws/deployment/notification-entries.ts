/** The entries of a bucket's notification configuration, read from its XML without changing a byte of it. */

/** What an entry asks S3 to tell, and whom. */
export interface NotificationEntry {
  /** As it stands in the document. */
  readonly text: string;
  /** Null: without. */
  readonly id: string | null;
  readonly events: readonly string[];
  /** As configured, percent-encoded where S3 asks for that; empty: any. */
  readonly prefix: string;
  readonly suffix: string;
  /** ARN of the topic, queue or function; empty for EventBridge, which is told of everything. */
  readonly destination: string;
}

/** A document taken apart: `opening` + the entries and what stands between them + `closing`. */
export interface NotificationDocument {
  readonly opening: string;
  readonly content: string;
  readonly closing: string;
  readonly entries: readonly NotificationEntry[];
}

const EMPTY_DOCUMENT = '<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>';
const ROOT =
  /^(\s*(?:<\?xml[^>]*\?>\s*)?)<NotificationConfiguration\b([^>]*?)(?:\/>|>([\s\S]*)<\/NotificationConfiguration\s*>)(\s*)$/;
/** An element of the document's first level, whatever its name. */
const ELEMENT = /<([A-Za-z][\w.-]*)\b[^>]*?(?:\/>|>[\s\S]*?<\/\1\s*>)/g;

/** Reads a configuration; null where it is none, or holds what is not understood. */
export function readNotification(xml: string): NotificationDocument | null {
  const match = ROOT.exec(xml.trim() === "" ? EMPTY_DOCUMENT : xml);
  if (match === null) return null;
  const [, before = "", attributes = "", content = "", after = ""] = match;
  if (content.replaceAll(ELEMENT, "").trim() !== "") return null;
  return {
    opening: `${before}<NotificationConfiguration${attributes.trimEnd()}>`,
    content,
    closing: `</NotificationConfiguration>${after}`,
    entries: [...content.matchAll(ELEMENT)].map(([text]) => entryOf(text)),
  };
}

/** Whether S3 would refuse both entries in one configuration: some event of some key would have two destinations. */
export function overlap(
  a: Pick<NotificationEntry, "events" | "prefix" | "suffix">,
  b: Pick<NotificationEntry, "events" | "prefix" | "suffix">,
): boolean {
  return (
    a.events.some((one) => b.events.some((other) => eventsMeet(one, other))) &&
    spellings(a.prefix).some((one) => spellings(b.prefix).some((other) => begins(one, other))) &&
    spellings(a.suffix).some((one) => spellings(b.suffix).some((other) => ends(one, other)))
  );
}

/** Whether `event` is one of those that `pattern` names. */
export function covers(pattern: string, event: string): boolean {
  return pattern === event || (pattern.endsWith(":*") && event.startsWith(pattern.slice(0, -1)));
}

/** The value of a filter for keys that begin with `prefix`: S3 asks for `+` in place of spaces, and for percent-encoding. */
export function filterValue(prefix: string): string {
  return prefix
    .split("/")
    .map((part) => encodeURIComponent(part.toWellFormed()).replaceAll("%20", "+"))
    .join("/");
}

/** Text as it stands in an XML document. */
export function escapeXml(text: string): string {
  const names: Readonly<Record<string, string>> = {
    "&": "amp",
    "<": "lt",
    ">": "gt",
    '"': "quot",
    "'": "apos",
  };
  return text.replaceAll(/[&<>"']/g, (character) => `&${names[character]};`);
}

function eventsMeet(one: string, other: string): boolean {
  return covers(one, other) || covers(other, one);
}

function begins(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one);
}

function ends(one: string, other: string): boolean {
  return one.endsWith(other) || other.endsWith(one);
}

/** A filter as it stands and decoded: whether its author has encoded it is not known. */
function spellings(filter: string): readonly string[] {
  try {
    return [filter, decodeURIComponent(filter.replaceAll("+", " "))];
  } catch {
    return [filter];
  }
}

function entryOf(text: string): NotificationEntry {
  const rules = [...text.matchAll(/<FilterRule\b[^>]*>([\s\S]*?)<\/FilterRule\s*>/g)].map(
    ([, rule = ""]) => ({
      name: textIn(rule, "Name")?.toLowerCase(),
      value: textIn(rule, "Value") ?? "",
    }),
  );
  const filter = (name: string) => rules.find((rule) => rule.name === name)?.value ?? "";
  return {
    text,
    id: textIn(text, "Id"),
    events: [...text.matchAll(/<Event\b[^>]*>([^<]*)<\/Event\s*>/g)].map(([, event = ""]) =>
      unescapeXml(event).trim(),
    ),
    prefix: filter("prefix"),
    suffix: filter("suffix"),
    destination: textIn(text, "Queue|Topic|CloudFunction") ?? "",
  };
}

/** The text of the first element of one of `names`. */
function textIn(text: string, names: string): string | null {
  const match = new RegExp(`<(${names})\\b[^>]*>([^<]*)</\\1\\s*>`).exec(text);
  return match === null ? null : unescapeXml(match[2] ?? "");
}

const CHARACTERS: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, decimal, name) => {
    if (name !== undefined) return CHARACTERS[name] ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10_ff_ff ? String.fromCodePoint(code) : whole;
  });
}
