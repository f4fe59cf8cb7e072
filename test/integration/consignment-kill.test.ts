/** Services killed with -9 while a consignment is sent, followed and taken in: one job at S3, no finished copy asked for again. */

import { describe, expect, it, type TestContext } from "vitest";
import { type LambdaService, openLambdaService } from "../support/aws/lambda-service.ts";
import type { ControlOperation } from "../support/aws/s3-control.ts";
import { hasEnded } from "../support/service.ts";
import { pause } from "../support/worlds/sandbox-world.ts";

const OBJECTS = 1_100;

interface Moment {
  readonly when: string;
  /** Arms the trap; what it gives resolves when the moment has come. */
  readonly arm: (lambda: LambdaService) => Promise<unknown>;
}

async function until(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 30_000; !holds(); await pause(5))
    if (Date.now() > end) throw new Error(`what the test waits for did not come: ${holds}`);
}

const asked = ({ control }: LambdaService, operation: ControlOperation, times = 1) =>
  until(() => control.requests[operation] >= times);

/** Requests to `bucket` whose key ends so. */
const ending = (bucket: string, end: string) => ({
  bucket,
  when: ({ target }: { readonly target: { readonly key: string } }) => target.key.endsWith(end),
});

const MOMENTS: readonly Moment[] = [
  {
    when: "when the manifest is stored and the answer not yet read",
    arm: ({ world }) =>
      world.store.faults.hold({ operation: "PutObject", bucket: "ops" }, "after").arrival(1),
  },
  {
    when: "before S3 has taken the job",
    arm: (lambda) => {
      lambda.control.breakNext("CreateJob", "hangs");
      return asked(lambda, "CreateJob");
    },
  },
  {
    when: "when S3 has taken the job and the answer is lost",
    arm: (lambda) => {
      lambda.control.breakNext("CreateJob", "lost");
      return asked(lambda, "CreateJob");
    },
  },
  {
    when: "before it looks at the job for the first time",
    arm: (lambda) => {
      lambda.control.breakNext("DescribeJob", "hangs");
      return asked(lambda, "DescribeJob");
    },
  },
  {
    when: "when a part of the copies is made",
    arm: ({ copies }) => until(() => copies.length >= OBJECTS / 2),
  },
  {
    when: "before it reads the report",
    arm: ({ world }) =>
      world.store.faults.hold({ operation: "GetObject", ...ending("ops", "manifest.json") }).arrival(1),
  },
  {
    when: "when the first batches are taken in",
    arm: ({ world }) => world.store.faults.hold({ operation: "DeleteObjects" }).arrival(2),
  },
];

async function killAndRestart({ arm }: Moment, { onTestFinished }: TestContext): Promise<void> {
  const lambda = await openLambdaService({ objects: OBJECTS, variations: { concurrency: 8 } });
  onTestFinished(() => lambda.close());
  const first = await lambda.serve();
  const come = arm(lambda);
  const id = await lambda.submit(first);
  await come;
  expect((await first.kill("SIGKILL")).end).toBe("SIGKILL");
  lambda.world.store.faults.release();
  const second = await lambda.serve();
  const done = await second.poll(id, hasEnded, 40_000);
  expect(done).toMatchObject({ state: "completed", objects: { moved: OBJECTS, exceptions: 0 } });
  expect(lambda.faults()).toEqual([]);
  expect(lambda.control.jobs.map(({ status }) => status)).toEqual(["Complete"]);
  expect(lambda.control.requests.UpdateJobStatus).toBe(0);
}

describe.concurrent("kill -9", () => {
  for (const moment of MOMENTS) {
    it(
      `${moment.when}: the next service carries the same job on`,
      (context) => killAndRestart(moment, context),
      90_000,
    );
  }
});
