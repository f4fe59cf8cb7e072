/**
 * The copying function as it is built, in as many environments as told, with `"updates": "function"`: each object is copied and
 * its rows are changed. Each environment is the bundle loaded anew, with a connection of its own. Prints what was done as one
 * line of JSON.
 */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { copyEvent, type GivenTask } from "../../test/support/aws/copy-function.ts";
import { CREDENTIALS, REGION, SOURCE, TARGET } from "./store-process.ts";

/** What the process is given as its only argument, in JSON. */
export interface FunctionsRequest {
  /** The folder of the compiled program. */
  readonly dist: string;
  readonly storeUrl: string;
  readonly databaseUrl: string;
  readonly fromPrefix: string;
  readonly toPrefix: string;
  /** Objects, numbered from 0, nine digits after the prefix, all with one content. */
  readonly objects: number;
  readonly etag: string;
  /** Bytes of each object. */
  readonly size: number;
  readonly environments: number;
  readonly objectsPerSecond: number;
  /** `guards.database.maxThreadsRunning`. */
  readonly maxThreadsRunning: number;
}

export interface FunctionsAnswer {
  readonly copied: number;
  readonly seconds: number;
}

type Handler = (
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
) => Promise<{ readonly results: readonly { readonly resultCode: string; readonly resultString: string }[] }>;

async function run(request: FunctionsRequest): Promise<void> {
  Object.assign(process.env, {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_S3: request.storeUrl,
    TRANSHIP_DATABASE: "app",
    TRANSHIP_DATABASE_URL: request.databaseUrl,
  });
  const bundle = pathToFileURL(join(request.dist, "lambda/copy-object.mjs")).href;
  const handlers: Handler[] = [];
  for (let n = 0; n < request.environments; n += 1)
    handlers.push(((await import(`${bundle}?${n}`)) as { readonly handler: Handler }).handler);
  const begun = performance.now();
  let next = 0;
  let copied = 0;
  const isStopped = stopSignal();
  const work = async (handler: Handler) => {
    for (let n = next++; n < request.objects && !isStopped(); n = next++) {
      const early = begun + (n * 1000) / request.objectsPerSecond - performance.now();
      if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
      const { results } = await handler(eventOf(request, n), { getRemainingTimeInMillis: () => 60_000 });
      const [result] = results;
      if (result?.resultCode !== "Succeeded" || !result.resultString.includes('"copied"'))
        throw new Error(JSON.stringify(result));
      copied += 1;
    }
  };
  await Promise.all(handlers.map(work));
  const seconds = (performance.now() - begun) / 1000;
  process.stdout.write(`${JSON.stringify({ copied, seconds } satisfies FunctionsAnswer)}\n`);
  process.exit(0);
}

function eventOf(request: FunctionsRequest, n: number) {
  const { fromPrefix, toPrefix, etag, size, maxThreadsRunning } = request;
  const names = { database: "app", table: "images", key: "id", column: "path", urlPrefix: null };
  const reference = { ...names, where: {}, set: {}, keepUpdatedAt: false };
  const task: GivenTask = { key: fromPrefix + String(n).padStart(9, "0"), etag, size };
  return copyEvent(
    {
      ...{ token: "bench", sourceBucket: SOURCE.bucket, sourcePrefix: fromPrefix },
      ...{ targetBucket: TARGET.bucket, targetPrefix: toPrefix },
      ...{ notAfter: null, leastMs: 0, copyLogs: null },
      updates: { references: [reference], maxThreadsRunning },
    },
    [task],
  );
}

function stopSignal(): () => boolean {
  let stopped = false;
  process.once("SIGTERM", () => {
    stopped = true;
  });
  return () => stopped;
}

await run(JSON.parse(process.argv[2] ?? "") as FunctionsRequest);
