/** The URL spellings of a key by the encoders in use: rows are searched for all of them before an object is deleted. */

/**
 * ASCII characters that each encoder keeps, beside letters and digits; `other`: non-ASCII characters are kept too. Sources:
 * ECMAScript (encodeURI, encodeURIComponent), RFC 3986 and the manuals and sources of the named encoders.
 */
const ENCODERS: readonly { readonly kept: string; readonly other?: true }[] = [
  // encodeURIComponent; JavaScript.
  { kept: "-_.!~*'()" },
  // RFC 3986 unreserved characters: Python 3.7+, PHP rawurlencode, Ruby, .NET EscapeDataString, the AWS SDKs.
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
  // Browsers' paths (WHATWG URL), without and with `^` in the path percent-encode set; existing escapes are kept.
  { kept: "-_.~!$&'()*+,;=:@/%[]\\|^" },
  { kept: "-_.~!$&'()*+,;=:@/%[]\\|" },
  // IRIs (RFC 3987): non-ASCII letters are kept.
  { kept: "-_.!~*'();/?:@&=+$,#", other: true },
  // Only spaces are encoded, as by search and replace.
  { kept: "-_.~!\"#$%&'()*+,/:;<=>?@[\\]^`{|}", other: true },
];

/** The characters that end a path: a query or a fragment follows. */
export const PATH_ENDS = ["?", "#"] as const;

/** Keys of these characters only are left unchanged by all encoders but those that escape slashes. */
const PLAIN = /^[A-Za-z0-9\-_./]*$/;

/**
 * Every value that may mean `key`, ambiguous ones included: escapes in upper and lower case, `+` for a space. Rows are never
 * rewritten by these, but while a row holds one of them, alone or followed by a query or fragment, the object is not
 * deleted. Without a `urlPrefix` only the key itself. Slashes are not escaped.
 */
export function spellingsOf(urlPrefix: string | null, key: string): readonly string[] {
  const before = urlPrefix ?? "";
  if (urlPrefix === null || PLAIN.test(key)) return [before + key];
  return spelled(key, (part) => part).map((path) => before + path);
}

/** As {@link spellingsOf}, with the slashes escaped too, as by an encoder that is applied to the whole key. */
export function slashlessSpellingsOf(urlPrefix: string | null, key: string): readonly string[] {
  if (urlPrefix === null || !key.includes("/")) return [];
  const ways = ["%2F", "%2f"].map((slash) => (path: string) => path.replaceAll("/", slash));
  const paths = PLAIN.test(key)
    ? ways.map((finish) => finish(key))
    : ways.flatMap((finish) => spelled(key, finish));
  return [...new Set(paths)].map((path) => urlPrefix + path);
}

/** The beginning of a spelling up to and including its first escaped slash: many keys have it in common. */
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
      // S3 itself decodes `+` in a path as a space.
      if (path.includes("%20")) paths.add(finish(path.replaceAll("%20", "+")));
    }
  }
  return [...paths];
}

/** Keeps slashes for every encoder: {@link slashlessSpellingsOf} covers the spellings that escape them. */
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
