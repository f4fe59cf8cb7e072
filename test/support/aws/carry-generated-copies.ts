/** A process of its own that carries one consignment of generated copies, and prints its memory and what it was given. */

import { S3ControlClient } from "@aws-sdk/client-s3-control";
import { LambdaEngine } from "../../../src/engines/aws/lambda-engine.ts";
import type { NumberedCopy } from "../../../src/ports/copy-engine.ts";
import { openS3Client } from "../../../src/stores/s3/client/s3-client.ts";
import { systemClock } from "../../../src/stores/system-clock.ts";
import { credentials } from "../sandbox-client.ts";
import { SETTINGS, TERMS } from "./consignment-world.ts";
import { loopbackClient } from "./s3-control.ts";

const [storeUrl = "", controlPort = "", objects = ""] = process.argv.slice(2);
const count = Number(objects);

async function* copies(): AsyncGenerator<NumberedCopy> {
  for (let at = 0; at < count; at++) {
    // As pages of a ledger: not all in one turn of the event loop.
    if (at % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    const name = `user ${at}/portrait of the user, in colour.jpg`;
    const etag = at.toString(16).padStart(32, "0");
    const source = { bucket: "A", key: TERMS.sourcePrefix + name, etag, size: 20_000 };
    const target = { bucket: "B", key: TERMS.targetPrefix + name };
    yield { number: 16_384 + at, request: { source, target, storageClass: null, onlyIfAbsent: true } };
  }
}

const engine = new LambdaEngine({
  control: new S3ControlClient({ ...loopbackClient(Number(controlPort)), credentials }),
  s3: openS3Client({ endpoint: storeUrl, forcePathStyle: true, ...credentials }),
  clock: systemClock,
  settings: { ...SETTINGS, reportWaitMs: 60_000, mostPollMs: 100, patienceMs: 60_000 },
  terms: TERMS,
});
const consignment = {
  jobId: "job-1",
  id: 1,
  token: "token-1",
  objects: count,
  notAfter: null,
  progress: null,
};
let results = 0;
let sum = 0;
const end = await engine.carry(
  {
    consignment,
    limits: { concurrency: 100, requestsPerSecond: null },
    copies,
    save: async () => {},
    onWait: () => {},
    onProgress: () => {},
    recall: new AbortController().signal,
  },
  (number, result) => {
    results += 1;
    if (result.kind === "copied" && Number.parseInt(result.etag, 16) === number - 16_384) sum += number;
  },
  new AbortController().signal,
);
const { maxRSS } = process.resourceUsage();
process.stdout.write(JSON.stringify({ end, results, sum, peakMiB: Math.round(maxRSS / 1024) }));
process.exit(0);
