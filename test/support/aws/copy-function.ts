/** Function 1 as it is packaged, in processes of its own, and the events that it is invoked with. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleFunctions } from "../../../bundle-functions.ts";
import { type FunctionName, packages } from "../../../src/cli/function-packages.ts";
import { type CopyTask, encodeTask } from "../../../src/engines/aws/copy-task.ts";
import { decodeOutcome, type TaskOutcome } from "../../../src/engines/aws/task-outcome.ts";
import { encodeTerms, type JobTerms } from "../../../src/engines/aws/user-arguments.ts";
import type { BatchAnswer, TaskAnswer } from "../../../src/lambda/batch-operations-event.ts";
import type { S3Facts } from "../servers/ceph.ts";
import type { Invoked } from "./lambda-environment.ts";
import { type LambdaOptions, type LambdaRuntime, startLambda } from "./lambda-runtime.ts";

/** Bundles and packages the function as a build does, from the source as it is now. */
export async function packageOf(name: FunctionName): Promise<Uint8Array> {
  const directory = mkdtempSync(join(tmpdir(), "tranship-package-"));
  try {
    await bundleFunctions(directory, join(import.meta.dirname, "../../.."));
    const found = packages(directory).find((one) => one.name === name);
    if (found === undefined) throw new Error(`there is no function ${name}`);
    return found.zip;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Starts function 1 with what Lambda would give it to reach `s3`. */
export function startCopyFunction(
  zip: Uint8Array,
  s3: Pick<S3Facts, "endpoint" | "region" | "accessKeyId" | "secretAccessKey">,
  options: Partial<LambdaOptions> = {},
): LambdaRuntime {
  const env = {
    AWS_REGION: s3.region,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
  };
  return startLambda({ zip, handler: "copy-object.handler", ...options, env: { ...env, ...options.env } });
}

/** A planned copy: what is not given is as in most jobs. */
export type GivenTask = Pick<CopyTask, "key" | "etag" | "size"> & Partial<CopyTask>;

/** An event of schema 2.0. */
export function copyEvent(terms: JobTerms, given: readonly GivenTask[]) {
  const tasks = given.map((task, n) => ({
    taskId: `task-${n}`,
    s3Key: encodeTask({ number: n, storageClass: null, replacing: null, ...task }),
    s3VersionId: null,
    s3Bucket: terms.sourceBucket,
  }));
  return {
    invocationSchemaVersion: "2.0",
    invocationId: "invocation",
    job: { id: "job", userArguments: encodeTerms(terms) },
    tasks,
  };
}

/** The results of an invocation; throws when it has failed. */
export function resultsOf(invoked: Invoked): readonly TaskAnswer[] {
  if ("functionError" in invoked) throw new Error(JSON.stringify(invoked.functionError));
  return (invoked.payload as BatchAnswer).results;
}

/** The outcome of each task; throws when one has failed. */
export function outcomesOf(invoked: Invoked): TaskOutcome[] {
  return resultsOf(invoked).map((result) => {
    const outcome = result.resultCode === "Succeeded" ? decodeOutcome(result.resultString) : null;
    if (outcome === null) throw new Error(JSON.stringify(result));
    return outcome;
  });
}
