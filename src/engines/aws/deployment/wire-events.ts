/** `wireEvents`: has bucket B tell the queue of copies, without touching what others have configured. */

import type { S3Client } from "@aws-sdk/client-s3";
import { DomainError } from "../../../domain/errors.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { NotifyReport } from "../../../ports/deployment.ts";
import { type OwnedBucket, readConfiguration, writeConfiguration } from "./bucket-notification.ts";
import {
  lostEntries,
  type NotificationPlan,
  planNotification,
  type WantedEvents,
} from "./plan-notification.ts";

/** A configuration that was just written may be read back a moment later. */
const READ_AGAIN_MS = 2_000;
const MOST_READS = 5;

/**
 * Plans, and with `apply` writes and reads back. Throws `engine_refused` where what is read back lacks an entry: its message
 * holds the configuration as it was.
 */
export async function wireEvents(
  { client, clock }: { readonly client: S3Client; readonly clock: Pick<Clock, "sleep"> },
  at: OwnedBucket,
  wanted: WantedEvents,
  apply: boolean,
): Promise<NotifyReport> {
  const before = await readConfiguration(client, at);
  const plan = planNotification(before, wanted);
  if (plan.kind === "change" && apply) {
    await writeConfiguration(client, at, plan.text);
    await confirm(client, clock, at, { before, plan, wanted });
  }
  return {
    bucket: at.bucket,
    queue: wanted.queue,
    state: plan.kind === "change" ? (apply ? "applied" : "planned") : plan.kind,
    added: plan.kind === "change" ? plan.added : null,
    replaced: plan.kind === "change" ? plan.replaced : [],
    others: plan.kind === "refused" ? 0 : plan.others,
    reasons: plan.kind === "refused" ? plan.reasons : [],
  };
}

async function confirm(
  client: S3Client,
  clock: Pick<Clock, "sleep">,
  at: OwnedBucket,
  written: { readonly before: string; readonly plan: NotificationPlan; readonly wanted: WantedEvents },
): Promise<void> {
  const { before, plan, wanted } = written;
  for (let count = 1; ; count += 1) {
    const after = await readConfiguration(client, at);
    const lost = lostEntries(before, plan, after);
    const isWired = planNotification(after, wanted).kind === "wired";
    if (lost.length === 0 && isWired) return;
    if (count < MOST_READS) {
      await clock.sleep(READ_AGAIN_MS);
      continue;
    }
    const what = lost.length > 0 ? `lacks ${lost.join(" ")}` : "does not hold the new entry";
    throw new DomainError(
      "engine_refused",
      `the configuration of ${at.bucket} was written, and read back ${what}. It was: ${before}`,
    );
  }
}
