/** The demo's relocation through the HTTP API of the real service, as a client's script would do it. */

import { setTimeout as sleep } from "node:timers/promises";
import type { JobView } from "../jobs/view/job-view.ts";
import { SOURCE_PREFIX, TARGET_PREFIX } from "./demo-objects.ts";
import { SOURCE_BUCKET, TARGET_BUCKET } from "./demo-world.ts";

const POLL_MS = 200;

/** Body of `POST /jobs`. */
export const DEMO_JOB = {
  name: "demo",
  source: { bucket: SOURCE_BUCKET, prefix: SOURCE_PREFIX },
  target: { bucket: TARGET_BUCKET, prefix: TARGET_PREFIX },
  references: [{ database: "app", table: "images", key: "id", column: "path", set: { legacy: 0 } }],
  delete: { when: "verified", after: "0s" },
} as const;

const ENDS: readonly JobView["state"][] = [
  "completed",
  "completed_with_exceptions",
  "failed",
  "cancelled",
  "paused",
];

export interface RelocationOptions {
  readonly url: string;
  readonly token: string;
  readonly signal: AbortSignal;
  onProgress(view: JobView): void;
}

/** Submits the job and polls it to its end. */
export async function relocate(options: RelocationOptions): Promise<JobView> {
  const { url, signal, onProgress } = options;
  const { id } = await ask(options, `${url}/jobs`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": "demo" },
    body: JSON.stringify(DEMO_JOB),
  });
  for (;;) {
    const view = await ask(options, `${url}/jobs/${id}`, {});
    onProgress(view);
    if (ENDS.includes(view.state)) return view;
    await sleep(POLL_MS, undefined, { signal });
  }
}

async function ask({ token, signal }: RelocationOptions, url: string, init: RequestInit): Promise<JobView> {
  const headers = { ...init.headers, authorization: `Bearer ${token}` };
  const answer = await fetch(url, { ...init, headers, signal });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${init.method ?? "GET"} ${url} answered ${answer.status}: ${text}`);
  return JSON.parse(text) as JobView;
}
