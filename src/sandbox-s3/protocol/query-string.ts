/** Reads query strings, and writes them canonically for SigV4. */

const NONE: ReadonlyMap<string, string> = new Map();
const PLAIN_PAIR = /^[A-Za-z0-9._~-]+=[A-Za-z0-9._~-]*$/;
const UNRESERVED = /^[A-Za-z0-9._~-]*$/;

/** The parameters, decoded; throws `URIError` if they are not valid percent-encoded UTF-8. */
export function parseQuery(raw: string): ReadonlyMap<string, string> {
  if (raw === "") return NONE;
  const parameters = new Map<string, string>();
  for (const [name, value] of decodePairs(raw)) parameters.set(name, value);
  return parameters;
}

/** The canonical query string of SigV4. */
export function canonicalQuery(raw: string): string {
  if (raw === "" || PLAIN_PAIR.test(raw)) return raw;
  return decodePairs(raw)
    .map(([name, value]) => [encodeStrictly(name), encodeStrictly(value)] as const)
    .sort(comparePairs)
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

/** Percent-encodes everything but RFC 3986's unreserved characters, as SigV4 demands. */
export function encodeStrictly(text: string): string {
  if (UNRESERVED.test(text)) return text;
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function decodePairs(raw: string): [string, string][] {
  return raw
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const equals = pair.indexOf("=");
      return equals < 0
        ? [decodeParameter(pair), ""]
        : [decodeParameter(pair.slice(0, equals)), decodeParameter(pair.slice(equals + 1))];
    });
}

function decodeParameter(text: string): string {
  return decodeURIComponent(text.includes("+") ? text.replaceAll("+", " ") : text);
}

function comparePairs(a: readonly [string, string], b: readonly [string, string]): number {
  if (a[0] !== b[0]) return a[0] < b[0] ? -1 : 1;
  if (a[1] === b[1]) return 0;
  return a[1] < b[1] ? -1 : 1;
}
