/** The memory of a process that carries a large consignment: manifest and report pass through it, and are not kept. */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { type CopyTask, decodeTask } from "../../../src/engines/aws/copy-task.ts";
import { encodeOutcome } from "../../../src/engines/aws/task-outcome.ts";
import { startSandboxStore } from "../../../src/sandbox-s3/sandbox-store.ts";
import type { Invoke } from "../../support/aws/batch-event.ts";
import { ACCOUNT } from "../../support/aws/consignment-world.ts";
import { startS3Control } from "../../support/aws/s3-control.ts";
import { connectTo, credentials } from "../../support/sandbox-client.ts";

const CHILD = join(import.meta.dirname, "../../support/aws/carry-generated-copies.ts");

/** Those of `npm start`, and a heap that manifest or report would not fit in as text. */
const FLAGS = ["--max-semi-space-size=16", "--v8-pool-size=1", "--max-old-space-size=64"];

/** Says that each copy was made; its ETag is that of the source. */
const sayCopied: Invoke = async (event) => ({
  invocationSchemaVersion: "2.0",
  invocationId: event.invocationId,
  results: event.tasks.map(({ taskId, s3Key }) => {
    const { etag } = decodeTask(s3Key) as CopyTask;
    return { taskId, resultCode: "Succeeded", resultString: encodeOutcome({ kind: "copied", etag }) };
  }),
});

async function carry(objects: number) {
  const store = await startSandboxStore({ ...credentials, buckets: [{ name: "ops" }] });
  const variations = { tasksPerEvent: 100, concurrency: 10 };
  const s3 = connectTo(store);
  const control = await startS3Control({ accountId: ACCOUNT, s3, invoke: sayCopied, variations });
  try {
    const args = [...FLAGS, CHILD, store.url, String(control.port), String(objects)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    return JSON.parse(stdout);
  } finally {
    await control.close();
    await store.close();
  }
}

it("300,000 copies take hardly more memory than 60,000", { timeout: 240_000 }, async () => {
  const few = await carry(60_000);
  const many = await carry(300_000);
  const sumTo = (count: number) => count * 16_384 + (count * (count - 1)) / 2;
  expect(few).toMatchObject({ end: { kind: "ended" }, results: 60_000, sum: sumTo(60_000) });
  expect(many).toMatchObject({ end: { kind: "ended" }, results: 300_000, sum: sumTo(300_000) });
  console.log(`peak: ${few.peakMiB} MiB for 60,000 copies, ${many.peakMiB} MiB for 300,000`);
  // Manifest and report of the larger one have about 100 MB together.
  expect(many.peakMiB - few.peakMiB).toBeLessThan(30);
});
