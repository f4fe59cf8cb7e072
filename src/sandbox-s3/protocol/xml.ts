/** Writes the XML of answers. */

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped
const SPECIAL = /[&<>"\u0000-\u001f\u007f\u0085\u2028\ufffe\uffff]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped
const SPECIALS = /[&<>"\u0000-\u001f\u007f\u0085\u2028\ufffe\uffff]/g;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/**
 * Text for an element. Characters that XML 1.0 forbids become references such as `&#x1;`, as S3 writes them:
 * most readers reject those, which is why listings offer `encoding-type=url`.
 */
function escapeXml(text: string): string {
  return SPECIAL.test(text) ? text.replace(SPECIALS, escapeCharacter) : text;
}

function escapeCharacter(character: string): string {
  return ENTITIES[character] ?? `&#x${character.charCodeAt(0).toString(16)};`;
}

/** `<name>text</name>` with the text escaped, or nothing for `undefined`. */
export function element(name: string, text: string | number | undefined): string {
  if (text === undefined) return "";
  return `<${name}>${typeof text === "string" ? escapeXml(text) : text}</${name}>`;
}

/** A whole document with S3's namespace around `content`. */
export function xmlDocument(root: string, content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${content}</${root}>`;
}

/** The error document; S3 gives it no namespace. */
export function errorDocument(
  code: string,
  message: string,
  fields: Readonly<Record<string, string>>,
  requestId: string,
  hostId: string,
): string {
  const extra = Object.entries(fields)
    .map(([name, text]) => element(name, text))
    .join("");
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${element("Code", code)}${element("Message", message)}${extra}<RequestId>${requestId}</RequestId><HostId>${hostId}</HostId></Error>`;
}
