/** Runs a sandbox store as a process of its own, for benchmarks and for compose. */

import { parseArgs } from "node:util";
import { RequestTimeline } from "./faults/request-timeline.ts";
import { type BucketOptions, type SandboxStore, startSandboxStore } from "./sandbox-store.ts";

const USAGE =
  "usage: serve-sandbox-store [--port N] [--host H] [--buckets a,b] [--region R] --access-key-id ID --secret-access-key SECRET [--latency-ms N] [--write-budget WRITES_PER_SECOND_AND_BUCKET] [--copy-bytes-per-second N] [--seed BUCKET/PREFIX:COUNT:BYTES[:PART_BYTES]]... [--numbered BUCKET/PREFIX:COUNT:BYTES]... [--numbered-target BUCKET/PREFIX:COUNT:BYTES]... [--timeline-ms N]\n";

/** Bodies from this size on are generated when they are read, and take no memory. */
const PATTERN_FROM_BYTES = 2 ** 20;

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    host: { type: "string", default: "127.0.0.1" },
    buckets: { type: "string", default: "" },
    region: { type: "string", default: "us-east-1" },
    "access-key-id": { type: "string" },
    "secret-access-key": { type: "string" },
    "latency-ms": { type: "string", default: "0" },
    "write-budget": { type: "string" },
    "copy-bytes-per-second": { type: "string" },
    seed: { type: "string", multiple: true, default: [] },
    numbered: { type: "string", multiple: true, default: [] },
    "numbered-target": { type: "string", multiple: true, default: [] },
    "timeline-ms": { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const accessKeyId = values["access-key-id"];
const secretAccessKey = values["secret-access-key"];
if (values.help || accessKeyId === undefined || secretAccessKey === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  await serve(accessKeyId, secretAccessKey);
}

async function serve(id: string, secret: string): Promise<void> {
  const plain = values.buckets.split(",").filter((name) => name !== "");
  const store = await startSandboxStore({
    port: Number(values.port),
    host: values.host,
    region: values.region,
    accessKeyId: id,
    secretAccessKey: secret,
    buckets: [
      ...plain.map((name) => ({ name })),
      ...values.numbered.map((text) => numberedBucket(text, true)),
      ...values["numbered-target"].map((text) => numberedBucket(text, false)),
    ],
  });
  store.faults.latencyMs = Number(values["latency-ms"]);
  const budget = values["write-budget"];
  if (budget !== undefined) {
    for (const name of plain) store.faults.writeBudget(name, Number(budget));
  }
  const copySpeed = values["copy-bytes-per-second"];
  if (copySpeed !== undefined) store.faults.copyBytesPerSecond = Number(copySpeed);
  for (const seed of values.seed) seedObjects(store, seed);
  const names = [...plain, ...numberedNames()];
  const every = values["timeline-ms"];
  const timeline = every === undefined ? undefined : new RequestTimeline(store, names);
  timeline?.start(Number(every));
  const stop = () => {
    // What a benchmark asks afterwards: its own counts can be checked against the server's.
    const { requests } = store;
    const counts = {
      requests: requests.byOperationAndBucket(),
      firstAt: requests.firstAtByOperation(),
      objects: Object.fromEntries(names.map((name) => [name, store.countObjects(name)])),
      ...(timeline && { timeline: timeline.samples() }),
    };
    // A long timeline does not fit into a pipe at once: the end of the process must wait for its reader.
    process.stdout.write(`${JSON.stringify(counts)}\n`, () => {
      store.close().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  process.stdout.write(`${JSON.stringify({ url: store.url, buckets: names })}\n`);
}

/**
 * `bucket/prefix:count:bytes` becomes the objects `prefix` + a nine-digit number, in byte order; with `:part_bytes`
 * as if they had been uploaded in parts of that size.
 */
function seedObjects(store: SandboxStore, text: string): void {
  const { bucket, prefix, count, bytes, partBytes } = readObjects(text);
  const body = bytes < PATTERN_FROM_BYTES ? Buffer.alloc(bytes, "tranship") : { size: bytes };
  const options = partBytes === undefined ? {} : { partBytes };
  for (let n = 0; n < count; n++) {
    store.putObject(bucket, prefix + String(n).padStart(9, "0"), body, options);
  }
}

/** Objects with the same keys that take no memory; the bucket holds nothing else. */
function numberedBucket(text: string, filled: boolean): BucketOptions & { readonly name: string } {
  const { bucket, prefix, count, bytes } = readObjects(text);
  return { name: bucket, numbered: { prefix, count, bytes, filled } };
}

function numberedNames(): string[] {
  return [...values.numbered, ...values["numbered-target"]].map((text) => readObjects(text).bucket);
}

function readObjects(text: string) {
  const match = /^([^/]+)\/(.*?):(\d+):(\d+)(?::(\d+))?$/.exec(text);
  if (match === null) throw new TypeError(`${text}: expected BUCKET/PREFIX:COUNT:BYTES[:PART_BYTES]`);
  const [, bucket = "", prefix = "", count, bytes, partBytes] = match;
  const parts = partBytes === undefined ? undefined : Number(partBytes);
  return { bucket, prefix, count: Number(count), bytes: Number(bytes), partBytes: parts };
}
