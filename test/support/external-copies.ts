/** An external copy engine in this process: its jobs outlive the runs that have sent them, as those of a cloud service do. */

import pLimit from "p-limit";
import { DomainError } from "../../src/domain/errors.ts";
import type { ConsignmentEngine, ConsignmentOrder } from "../../src/ports/consignment-engine.ts";
import type { NumberedCopy, OnCopyResult } from "../../src/ports/copy-engine.ts";
import type { CopyResult, ObjectStore } from "../../src/ports/object-store.ts";

/** What becomes of one copy; `silent`: it is made and never reported, `lost`: not made and not reported. */
export type Fate = "done" | "silent" | "lost" | CopyResult;

interface ExternalJob {
  readonly copies: readonly NumberedCopy[];
  readonly results: Map<number, CopyResult>;
  readonly stop: AbortController;
  ended: "working" | "ended" | "recalled" | string;
}

const CONCURRENCY = 16;
const POLL_MS = 5;

export class ExternalCopies {
  /** By token, as the service remembers them. */
  readonly jobs = new Map<string, ExternalJob>();
  /** Requests to create a job, repeated ones included. */
  sent = 0;
  recalls = 0;
  /** What becomes of each copy. */
  fate: (copy: NumberedCopy) => Fate = () => "done";
  /** Awaited before each copy. */
  beforeCopy: (copy: NumberedCopy, job: ExternalJob) => Promise<void> | void = () => {};
  /** Why a job breaks after its copies; null: it does not. */
  breaks: string | null = null;
  /** Whether results are known before the end. */
  tellsEarly = false;
  readonly forgotten: string[] = [];
  readonly #store: Pick<ObjectStore, "copy" | "head">;

  constructor(store: Pick<ObjectStore, "copy" | "head">) {
    this.#store = store;
  }

  /** The keys that all jobs together were asked to copy. */
  get asked(): string[] {
    return [...this.jobs.values()].flatMap(({ copies }) => copies.map(({ request }) => request.source.key));
  }

  /** An engine of one process. */
  engine(mostCopies = 1_000_000): ConsignmentEngine {
    const known = async (copies: readonly NumberedCopy[], onResult: OnCopyResult) => {
      for (const { results } of this.jobs.values()) {
        for (const { number } of copies) {
          const result = results.get(number);
          if (result !== undefined) await onResult(number, result);
        }
      }
    };
    return {
      mostCopies,
      objection: ({ source }) => (source.key.endsWith(".large") ? "too large" : null),
      carry: (order, onResult, signal) => this.#carry(order, onResult, signal),
      ...(this.tellsEarly && { known }),
      forget: async (copies) => void this.forgotten.push(...copies.map(({ request }) => request.target.key)),
    };
  }

  async #carry(
    order: ConsignmentOrder,
    onResult: OnCopyResult,
    signal: AbortSignal,
  ): ReturnType<ConsignmentEngine["carry"]> {
    const { token, progress } = order.consignment;
    let job = this.jobs.get(token);
    if (job === undefined) {
      const copies: NumberedCopy[] = [];
      for await (const copy of order.copies()) copies.push(copy);
      if (progress === null) await order.save("manifest");
      job = this.#create(token, copies);
      await order.save("sent");
    }
    order.recall.addEventListener("abort", () => this.#recall(job), { once: true });
    if (order.recall.aborted) this.#recall(job);
    while (job.ended === "working") {
      if (signal.aborted) throw new DomainError("stopped", "no longer followed");
      order.onProgress(job.results.size);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    for (const [number, result] of job.results) await onResult(number, result);
    if (job.ended === "ended" || job.ended === "recalled") return { kind: job.ended };
    return { kind: "broken", reason: job.ended };
  }

  #recall(job: ExternalJob): void {
    if (job.stop.signal.aborted || job.ended !== "working") return;
    this.recalls += 1;
    job.stop.abort();
  }

  #create(token: string, copies: readonly NumberedCopy[]): ExternalJob {
    this.sent += 1;
    const job: ExternalJob = { copies, results: new Map(), stop: new AbortController(), ended: "working" };
    this.jobs.set(token, job);
    void this.#work(job);
    return job;
  }

  async #work(job: ExternalJob): Promise<void> {
    const limit = pLimit(CONCURRENCY);
    await Promise.all(job.copies.map((copy) => limit(() => this.#copy(job, copy))));
    job.ended = job.stop.signal.aborted ? "recalled" : (this.breaks ?? "ended");
  }

  async #copy(job: ExternalJob, copy: NumberedCopy): Promise<void> {
    if (job.stop.signal.aborted) return;
    await this.beforeCopy(copy, job);
    if (job.stop.signal.aborted) return;
    const fate = this.fate(copy);
    if (fate === "lost") return;
    if (typeof fate === "object") {
      job.results.set(copy.number, fate);
      return;
    }
    const result = await this.#store.copy(copy.request);
    if (fate === "done") job.results.set(copy.number, result);
  }
}
