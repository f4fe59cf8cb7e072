/**
 * CopyLogEngine: the engine `lambda-copy-log`. Consignments are carried by the engine of S3 Batch Operations, whose function
 * keeps records in Copy_Logs; flagged records give results while the consignment is still under way.
 */

import type { ConsignmentEnd, ConsignmentEngine, ConsignmentOrder } from "../../ports/consignment-engine.ts";
import type { NumberedCopy, OnCopyResult } from "../../ports/copy-engine.ts";
import type { CopyRequest } from "../../ports/object-store.ts";
import { type FlaggedRecord, placeName } from "./copy-log-records.ts";
import type { CopyLogs } from "./copy-logs.ts";
import type { JobTerms } from "./user-arguments.ts";

/** What the function that takes the events is told of every consignment of a job, and where. */
export interface EventTerms {
  readonly logs: Pick<CopyLogs, "putTerms" | "removeTerms">;
  readonly terms: Omit<JobTerms, "token" | "notAfter" | "leastMs">;
}

/**
 * `carrier` must send terms that name the table of `logs`. `eventTerms`: what the function that takes the events updates rows by;
 * null: it updates none. They are in the table while a consignment is under way and may copy.
 */
export class CopyLogEngine implements ConsignmentEngine {
  readonly #carrier: ConsignmentEngine;
  readonly #logs: Pick<CopyLogs, "flagged" | "remove">;
  readonly #eventTerms: EventTerms | null;
  /** Of the consignments that are carried now. */
  readonly #tokens = new Set<string>();

  constructor(
    carrier: ConsignmentEngine,
    logs: Pick<CopyLogs, "flagged" | "remove">,
    eventTerms: EventTerms | null = null,
  ) {
    this.#carrier = carrier;
    this.#logs = logs;
    this.#eventTerms = eventTerms;
  }

  get mostCopies(): number {
    return this.#carrier.mostCopies;
  }

  objection(request: CopyRequest): string | null {
    return this.#carrier.objection(request);
  }

  async carry(order: ConsignmentOrder, onResult: OnCopyResult, signal: AbortSignal): Promise<ConsignmentEnd> {
    const { token } = order.consignment;
    this.#tokens.add(token);
    try {
      const carry = () => this.#carrier.carry(order, onResult, signal);
      return await (this.#eventTerms === null
        ? carry()
        : this.#withTerms(this.#eventTerms, order, signal, carry));
    } finally {
      this.#tokens.delete(token);
    }
  }

  async known(copies: readonly NumberedCopy[], onResult: OnCopyResult, signal: AbortSignal): Promise<void> {
    const found = await this.#logs.flagged(
      copies.map(({ request }) => request.target),
      signal,
    );
    for (const { number, request } of copies) {
      const record = found.get(placeName(request.target));
      if (record === undefined || !this.#isOf(record, request)) continue;
      const more = onResult(number, { kind: "copied", etag: record.etag });
      if (more !== undefined) await more;
    }
  }

  async forget(copies: readonly NumberedCopy[], signal: AbortSignal): Promise<void> {
    await this.#logs.remove(
      copies.map(({ request }) => request.target),
      signal,
    );
  }

  /** Keeps the terms in the table while `carry` runs, until the consignment is recalled; a stopped process leaves them. */
  async #withTerms(
    { logs, terms }: EventTerms,
    { consignment, recall }: ConsignmentOrder,
    signal: AbortSignal,
    carry: () => Promise<ConsignmentEnd>,
  ): Promise<ConsignmentEnd> {
    const { token, notAfter } = consignment;
    // Left behind they are of no effect, for the records are removed; `tranship aws forget` finds them by their token.
    const remove = () => logs.removeTerms(token).catch(() => undefined);
    if (!recall.aborted) await logs.putTerms({ ...terms, token, notAfter, leastMs: 0 }, signal);
    recall.addEventListener("abort", remove, { once: true });
    try {
      if (recall.aborted) await remove();
      return await carry();
    } finally {
      recall.removeEventListener("abort", remove);
      if (!signal.aborted) await remove();
    }
  }

  /**
   * Whether `record` tells of this very copy. One that an earlier consignment has left may be of an object that is no longer
   * at the new key.
   */
  #isOf(record: FlaggedRecord, { source }: CopyRequest): boolean {
    return (
      this.#tokens.has(record.job) &&
      record.source === placeName(source) &&
      record.pinned === source.etag &&
      record.size === source.size
    );
  }
}
