/** How the encoders in use may spell a key in a URL: what must be looked for before the key's object is deleted. */

/**
 * Characters of ASCII that encoders leave as they are, beside letters and digits; `other`: what lies beyond ASCII stays
 * too. Sources: ECMAScript (encodeURI, encodeURIComponent), RFC 3986 and the manuals and sources of the named ones.
 */
const ENCODERS: readonly { readonly kept: string; readonly other?: true }[] = [
  // encodeURIComponent; JavaScript.
  { kept: "-_.!~*'()" },
  // RFC 3986's unreserved ones: Python 3.7+, PHP rawurlencode, Ruby, .NET EscapeDataString, the AWS SDKs.
  { kept: "-_.~" },
  // Older Python, PHP urlencode.
  { kept: "-_." },
  // Java URLEncoder.
  { kept: "-_.*" },
  // .NET HttpUtility.UrlEncode.
  { kept: "-_.!*()" },
  // encodeURI; JavaScript.
  { kept: "-_.!~*'();/?:@&=+$,#" },
  // Go: a URL's path, and PathEscape.
  { kept: "-_.~$&+,/:;=@" },
  { kept: "-_.~$&+:=@" },
  // What browsers make of a path (WHATWG URL), before and since `^` was added; an escape stays one.
  { kept: "-_.~!$&'()*+,;=:@/%[]\\|^" },
  { kept: "-_.~!$&'()*+,;=:@/%[]\\|" },
  // IRIs: all letters of the world stay.
  { kept: "-_.!~*'();/?:@&=+$,#", other: true },
  // Spaces alone, as search and replace does.
  { kept: "-_.~!\"#$%&'()*+,/:;<=>?@[\\]^`{|}", other: true },
];

/** What may follow a path: a query, a fragment. */
export const PATH_ENDS = ["?", "#"] as const;

/** Only such characters: all encoders but those that escape slashes leave the key as it is. */
const PLAIN = /^[A-Za-z0-9\-_./]*$/;

/**
 * Every value that somebody may mean `key` by, ambiguous ones too: escapes in upper and lower case, `+` for a space. Rows
 * are never rewritten by these; yet while one of them stands in a row, by itself or with a query or fragment after it, the
 * object is not deleted. Without a `urlPrefix` the key itself.
 */
export function spellingsOf(urlPrefix: string | null, key: string): readonly string[] {
  const before = urlPrefix ?? "";
  if (urlPrefix === null || PLAIN.test(key)) return [before + key];
  return spelled(key, (part) => part).map((path) => before + path);
}

/** As {@link spellingsOf}, of those that escape the slashes as well, as an encoder does that is given the whole key. */
export function slashlessSpellingsOf(urlPrefix: string | null, key: string): readonly string[] {
  if (urlPrefix === null || !key.includes("/")) return [];
  const ways = ["%2F", "%2f"].map((slash) => (path: string) => path.replaceAll("/", slash));
  const paths = PLAIN.test(key)
    ? ways.map((finish) => finish(key))
    : ways.flatMap((finish) => spelled(key, finish));
  return [...new Set(paths)].map((path) => urlPrefix + path);
}

/** The beginning of a spelling that escapes slashes, up to the first of these: many keys have one in common. */
export function slashlessPrefix(spelling: string): string {
  const at = spelling.search(/%2f/i);
  return at < 0 ? spelling : spelling.slice(0, at + 3);
}

function spelled(key: string, finish: (path: string) => string): string[] {
  const paths = new Set([finish(key)]);
  for (const { kept, other } of ENCODERS) {
    const upper = encode(key, kept, other === true);
    for (const path of [upper, lowerCased(upper)]) {
      paths.add(finish(path));
      // S3 itself reads `+` in a path as a space.
      if (path.includes("%20")) paths.add(finish(path.replaceAll("%20", "+")));
    }
  }
  return [...paths];
}

/** Slashes stay whatever the encoder does: those that escape them are asked for by themselves. */
function encode(key: string, kept: string, keepsOther: boolean): string {
  let path = "";
  for (const character of key) {
    const stays = /[A-Za-z0-9/]/.test(character) || kept.includes(character);
    path += stays || (keepsOther && character > "\x7f") ? character : escaped(character);
  }
  return path;
}

function escaped(character: string): string {
  let path = "";
  for (const byte of Buffer.from(character, "utf8")) {
    path += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return path;
}

function lowerCased(path: string): string {
  return path.replaceAll(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());
}
