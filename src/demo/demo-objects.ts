/** The demo's objects, each derived from its index alone, so that the check can derive and compare them again. */

/** An object of the source bucket. */
export interface DemoObject {
  readonly key: string;
  readonly body: Buffer;
  readonly options: DemoObjectOptions;
}

/** Its headers and metadata. */
export interface DemoObjectOptions {
  readonly contentType: string;
  readonly cacheControl: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export const SOURCE_PREFIX = "image/";
export const TARGET_PREFIX = "avatar/";

/** Objects of one kind share type and metadata; a prime, so that kinds and unusual keys occur in all combinations. */
const KINDS = 4999;
const TYPES = [
  { ending: "jpg", contentType: "image/jpeg" },
  { ending: "png", contentType: "image/png" },
  { ending: "webp", contentType: "image/webp" },
  { ending: "svg", contentType: "image/svg+xml; charset=utf-8" },
  { ending: "gif", contentType: "image/gif" },
] as const;

const FIRST_DAY = Date.UTC(2021, 0, 1);
/** Uploads a day. */
const A_DAY = 100;

/** One of so many objects has a key with characters that are often handled wrongly. */
const HOSTILE_EVERY = 25;
const HOSTILE: readonly ((index: number) => string)[] = [
  (i) => `with spaces/holiday photo ${i} .jpg`,
  (i) => `plus+sign/a+b=${i}.png`,
  (i) => `emoji/😀👍🏽/${i}.webp`,
  (i) => `%41%2F%zz/${i}.jpg`,
  (i) => `/double//slash//${i}.png`,
  (i) => `./dots/../${i}`,
  (i) => `query?size=${i}&crop#top`,
  (i) => `<tag attr="x">'&amp;${i}.svg`,
  (i) => `accents/é e\u0301 ${i}.gif`,
  (i) => `日本語/画像 ${i}.jpg`,
  (i) => `image/image/${i}.jpg`,
  (i) => `back\\slash/${i}_%_'.png`,
  (i) => `folder-like/${i}/`,
];

/** The object number `index`, 0, 1, … */
export function demoObject(index: number): DemoObject {
  const kind = index % KINDS;
  return { key: SOURCE_PREFIX + nameOf(index), body: bodyOf(index), options: optionsOf(kind) };
}

/** The target key of object number `index`. */
export function targetKeyOf(index: number): string {
  return TARGET_PREFIX + nameOf(index);
}

/** Folders by day, as for uploads: neighbouring rows name neighbouring objects. */
function nameOf(index: number): string {
  const folder = new Date(FIRST_DAY + Math.floor(index / A_DAY) * 86_400_000).toISOString().slice(0, 10);
  return `${folder.replaceAll("-", "/")}/${fileOf(index)}`;
}

function fileOf(index: number): string {
  const form = HOSTILE[Math.floor(index / HOSTILE_EVERY) % HOSTILE.length];
  if (index % HOSTILE_EVERY === HOSTILE_EVERY - 1 && form !== undefined) return form(index);
  return `user-${mix(index).toString(16).padStart(8, "0")}/${index}.${typeOf(index % KINDS).ending}`;
}

function typeOf(kind: number): (typeof TYPES)[number] {
  return TYPES[kind % TYPES.length] ?? TYPES[0];
}

/** A short text that no other object has, a few of them empty or much longer. */
function bodyOf(index: number): Buffer {
  if (index % 2003 === 2002) return Buffer.alloc(0);
  const size = index % 1009 === 1008 ? 64 * 1024 : 32 + (mix(index + 1) % 300);
  const line = `object ${index} ${mix(index).toString(36)}\n`;
  return Buffer.alloc(Math.max(size, line.length), line);
}

function optionsOf(kind: number): DemoObjectOptions {
  return {
    contentType: typeOf(kind).contentType,
    cacheControl: `public, max-age=${60 + kind}`,
    metadata: { "uploaded-by": `user-${kind}`, caption: `photo & caption ${mix(kind).toString(36)}` },
  };
}

/** Scatters `index` over 32 bits (the finalizer of MurmurHash3): the same number for the same index, always. */
export function mix(index: number): number {
  let x = (index + 0x9e37_79b9) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85eb_ca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2_ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
