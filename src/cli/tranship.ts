/** The wired service as the commands use it. */

import type { FastifyInstance } from "fastify";
import type { JobView } from "../jobs/job-view.ts";
import type { Jobs } from "../jobs/jobs.ts";

export interface Tranship {
  readonly jobs: Jobs;
  startScheduler(): void;
  runToEnd(
    input: unknown,
    options: { actor: string; signal: AbortSignal; onProgress?: (view: JobView) => void },
  ): Promise<JobView>;
  server(): Promise<FastifyInstance>;
  close(): Promise<void>;
}
