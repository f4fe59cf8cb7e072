/** Where does a text stop being JSON? `JSON.parse` often does not say, and when it does it quotes the text. */

type Expectation = "value" | "item" | "key" | "member" | "colon" | "after";

/** What each kind of token leads to; a kind that is not listed is a fault there. */
const STEPS: Readonly<
  Record<Expectation, Readonly<Record<string, Expectation | "open" | "close" | "next">>>
> = {
  value: { string: "after", scalar: "after", "{": "open", "[": "open" },
  item: { string: "after", scalar: "after", "{": "open", "[": "open", "]": "close" },
  key: { string: "colon" },
  member: { string: "colon", "}": "close" },
  colon: { ":": "value" },
  after: { ",": "next", "}": "close", "]": "close" },
};

/** What a comma announces, by the bracket around it; outside of all there is no comma. */
const NEXT: Readonly<Record<string, Expectation>> = { "{": "key", "[": "value" };

const SPACE = /[ \t\n\r]*/y;
const PUNCTUATION = /[{}[\],:]/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these inside strings (RFC 8259 §7)
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Index of the first token of `text` that cannot be there (its length when the text ends too early), or null. */
export function jsonFaultIndex(text: string): number | null {
  const open: string[] = [];
  let expects: Expectation = "value";
  let at = skip(SPACE, text, 0);
  while (at < text.length) {
    const [kind, end] = tokenAt(text, at);
    const next: Expectation | null = advance(expects, kind, open);
    if (next === null) return at;
    expects = next;
    at = skip(SPACE, text, end);
  }
  return expects === "after" && open.length === 0 ? null : text.length;
}

/** What is expected after a token of `kind`, or null where it cannot be; `open` are the brackets around it. */
function advance(expects: Expectation, kind: string, open: string[]): Expectation | null {
  const step = STEPS[expects][kind];
  switch (step) {
    case undefined:
      return null;
    case "open":
      open.push(kind);
      return kind === "{" ? "member" : "item";
    case "close":
      return open.pop() === (kind === "}" ? "{" : "[") ? "after" : null;
    case "next":
      return NEXT[open.at(-1) ?? ""] ?? null;
    default:
      return step;
  }
}

/** `line 3, column 14` of `index`, both counted from 1. */
export function placeOf(text: string, index: number): string {
  const before = text.slice(0, index).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

function tokenAt(text: string, at: number): readonly [kind: string, end: number] {
  const punctuation = skip(PUNCTUATION, text, at);
  if (punctuation > at) return [text.charAt(at), punctuation];
  const string = skip(STRING, text, at);
  if (string > at) return ["string", string];
  const scalar = skip(SCALAR, text, at);
  return scalar > at ? ["scalar", scalar] : ["nothing", at];
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
