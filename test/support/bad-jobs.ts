/** Jobs that cannot be, by their own text, with the faults that each must be told. */

import type { Refused } from "./refusals.ts";

const REFERENCE = { database: "app", table: "images", key: "id", column: "path" };
/** A job on the buckets `bad-a` and `bad-b` and the table `images` of the database `app`. */
export const JOB = {
  source: { bucket: "bad-a", prefix: "image/" },
  target: { bucket: "bad-b", prefix: "avatar/" },
  references: [REFERENCE],
};
const reference = (more: object) => ({ ...JOB, references: [{ ...REFERENCE, ...more }] });
const WHOLE = { timezone: "Africa/Cairo", open: [{ from: "22:00", to: "06:00" }] };

export const UNREADABLE: readonly Refused[] = [
  { title: "JSON that ends too early", body: '{"source":', tells: /ends too early, at line 1, column 11/ },
  { title: "JSON with a comma too many", body: '{\n "source": {},\n}', tells: /line 3, column 1/ },
  { title: "an array", body: "[]", at: [""], tells: /object/ },
  { title: "nothing at all", body: "", at: [""], tells: /object/ },
  { title: "null", body: "null", at: [""], tells: /object/ },
  { title: "a field __proto__", body: '{"__proto__":{"x":1}}', tells: /__proto__/ },
  {
    title: "an idempotency key with a space",
    body: JOB,
    headers: { "idempotency-key": "a b" },
    at: ["/Idempotency-Key"],
    tells: /Idempotency-Key/,
  },
  {
    title: "an idempotency key of 300 characters",
    body: JOB,
    headers: { "idempotency-key": "k".repeat(300) },
    at: ["/Idempotency-Key"],
    tells: /255/,
  },
  {
    title: "an empty idempotency key",
    body: JOB,
    headers: { "idempotency-key": "" },
    at: ["/Idempotency-Key"],
    tells: /Idempotency-Key/,
  },
];

export const WRONG_SHAPE: readonly Refused[] = [
  { title: "an unknown field", body: { ...JOB, colour: 1 }, at: ["/colour"], tells: /unknown/ },
  {
    title: "an unknown field inside limits",
    body: { ...JOB, limits: { concurency: 3 } },
    at: ["/limits/concurency"],
    tells: /unknown/,
  },
  {
    title: "an unknown field inside a reference",
    body: reference({ colum: "x" }),
    at: ["/references/0/colum"],
    tells: /unknown/,
  },
  {
    title: "an unknown field whose name needs escaping in a pointer",
    body: { ...JOB, "a/b~c": 1 },
    at: ["/a~1b~0c"],
    tells: /unknown/,
  },
  { title: "no source", body: { target: JOB.target }, at: ["/source"], tells: /required/ },
  {
    title: "wrong types in many places, all told at once",
    body: { ...JOB, source: "x", batchSize: "10", references: {}, maxObjects: 1.5, delete: null },
    at: ["/batchSize", "/delete", "/maxObjects", "/references", "/source"],
    tells: /integer/,
  },
  {
    title: "an unknown policy",
    body: { ...JOB, onConflict: "replace" },
    at: ["/onConflict"],
    tells: /fail.*skip-identical.*overwrite/,
  },
  {
    title: "an unknown way to verify",
    body: { ...JOB, verify: "md5" },
    at: ["/verify"],
    tells: /etag.*size.*checksum/,
  },
  {
    title: "an unknown time to delete",
    body: { ...JOB, delete: { when: "later" } },
    at: ["/delete/when"],
    tells: /verified.*approved.*never/,
  },
  {
    title: "an unknown inventory",
    body: { ...JOB, inventory: { from: "list" } },
    at: ["/inventory/from"],
    tells: /bucket.*database.*manifest/,
  },
  {
    title: "a manifest without a place",
    body: { ...JOB, inventory: { from: "manifest" } },
    at: ["/inventory/bucket", "/inventory/key"],
    tells: /bucket and key|required/,
  },
  {
    title: "a bucket name that cannot be",
    body: { ...JOB, target: { bucket: "No_Such", prefix: "avatar/" } },
    at: ["/target/bucket"],
    tells: /bucket/i,
  },
];

export const WRONG_NUMBERS: readonly Refused[] = [
  { title: "no concurrency", limits: { concurrency: 0 }, tells: /1/ },
  { title: "a negative concurrency", limits: { concurrency: -1 }, tells: /1/ },
  { title: "an absurd concurrency", limits: { concurrency: 1e9 }, tells: /4096/ },
  { title: "half a request at once", limits: { concurrency: 0.5 }, tells: /integer/ },
  {
    title: "rates of zero",
    limits: { requestsPerSecond: 0, bytesPerSecond: 0, rowsPerSecond: 0 },
    tells: /0/,
  },
  { title: "negative rates", limits: { requestsPerSecond: -5, bytesPerSecond: -5 }, tells: /0/ },
  { title: "an absurd rate", limits: { rowsPerSecond: 1e300 }, tells: /1000000000000/ },
].map(({ title, limits, tells }) => ({
  title,
  body: { ...JOB, limits },
  at: Object.keys(limits).map((name) => `/limits/${name}`),
  tells,
}));

export const WRONG_TIMES: readonly Refused[] = [
  ...["tomorrow", "-1h", "24", "24 h", "1.5h", "99999d", ""].map((after) => ({
    title: `the grace period ${JSON.stringify(after)}`,
    body: { ...JOB, delete: { after } },
    at: ["/delete/after"],
    tells: /90s, 15m, 24h or 7d/,
  })),
  ...["yesterday", "2026-11-01", "2026-13-01T00:00:00Z", "2026-11-01T00:00:00"].map((modifiedBefore) => ({
    title: `modifiedBefore ${JSON.stringify(modifiedBefore)}`,
    body: { ...JOB, filter: { modifiedBefore } },
    at: ["/filter/modifiedBefore"],
    tells: /2026-11-01T00:00:00Z/,
  })),
];

export const WRONG_WINDOWS = [
  {
    title: "a time zone that is none",
    windows: { ...WHOLE, timezone: "Mars/Olympus" },
    at: "/windows/timezone",
  },
  { title: "a time zone as an offset", windows: { ...WHOLE, timezone: "+02:00" }, at: "/windows/timezone" },
  {
    title: "25 o'clock",
    windows: { ...WHOLE, open: [{ from: "25:00", to: "06:00" }] },
    at: "/windows/open/0/from",
  },
  {
    title: "a window of no length",
    windows: { ...WHOLE, open: [{ from: "06:00", to: "06:00" }] },
    at: "/windows/open/0",
  },
  {
    title: "a day that is none",
    windows: { ...WHOLE, open: [{ days: ["mond"], from: "01:00", to: "02:00" }] },
    at: "/windows/open/0/days/0",
  },
  { title: "30 February", windows: { ...WHOLE, closed: ["2026-02-30"] }, at: "/windows/closed/0" },
];

export const WRONG_ENGINES: readonly Refused[] = [
  {
    title: "an unknown engine",
    body: { ...JOB, engine: "batch" },
    at: ["/engine"],
    tells: /service.*lambda/,
  },
  {
    title: "an engine that this version does not have, on a store that is not AWS",
    body: { ...JOB, engine: "lambda" },
    at: ["/engine", "/engine"],
    tells: /"lambda" is not available.*"main" is not AWS/,
  },
  {
    title: "settings of functions for the service",
    body: { ...JOB, lambda: { updates: "function" } },
    at: ["/lambda"],
    tells: /only the engines/,
  },
  {
    title: "a function's ARN",
    body: { ...JOB, engine: "lambda", lambda: { copyFunction: "arn:aws:lambda:eu-west-1:123456789012:x" } },
    at: ["/lambda/copyFunction"],
    tells: /unknown field/,
  },
];

const INJECTION = ["images`; DROP TABLE images; --", 'images" OR "1"="1', "images'", "images;", "a.b", ""];
export const WRONG_NAMES: readonly Refused[] = [
  ...["table", "column", "key"].flatMap((field) =>
    INJECTION.map((name) => ({
      title: `the ${field} ${JSON.stringify(name)}`,
      body: reference({ [field]: name }),
      at: [`/references/0/${field}`],
      tells: /letters|pattern/,
    })),
  ),
  ...["set", "where"].flatMap((field) =>
    INJECTION.map((name) => ({
      title: `${field} of the column ${JSON.stringify(name)}`,
      body: reference({ [field]: { [name]: 1 } }),
      tells: /not a usable column name/,
    })),
  ),
  {
    title: "set of the reference's own column, spelt in capitals",
    body: reference({ set: { PATH: "x" } }),
    at: ["/references/0/set"],
    tells: /own column/,
  },
  {
    title: "one column twice",
    body: { ...JOB, references: [REFERENCE, REFERENCE] },
    at: ["/references/1"],
    tells: /twice/,
  },
];

export const WRONG_PLACES: readonly Refused[] = [
  {
    title: "a source that is the target",
    body: { ...JOB, target: JOB.source },
    at: ["/target"],
    tells: /same place/,
  },
  {
    title: "a target inside the source",
    body: { ...JOB, target: { bucket: "bad-a", prefix: "image/new/" } },
    at: ["/target/prefix"],
    tells: /overlap.*separate prefixes/,
  },
  {
    title: "a source inside the target",
    body: { ...JOB, target: { bucket: "bad-a", prefix: "" } },
    at: ["/target/prefix"],
    tells: /overlap.*separate prefixes/,
  },
  {
    title: "a prefix longer than a key may be",
    body: { ...JOB, target: { bucket: "bad-b", prefix: "ü".repeat(600) } },
    at: ["/target/prefix"],
    tells: /1024/,
  },
  {
    title: "a prefix with half a character",
    body: '{"source":{"bucket":"bad-a","prefix":"image/\\ud800"},"target":{"bucket":"bad-b"}}',
    at: ["/source/prefix"],
    tells: /Unicode/,
  },
  {
    title: "an unknown store",
    body: { ...JOB, source: { ...JOB.source, store: "other" } },
    at: ["/source/store"],
    tells: /configured are: main/,
  },
  {
    title: "an unknown database",
    body: reference({ database: "other" }),
    at: ["/references/0/database"],
    tells: /configured are: app/,
  },
];
