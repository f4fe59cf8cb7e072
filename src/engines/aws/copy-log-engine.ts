/**
 * CopyLogEngine: the engine `lambda-copy-log`. Consignments are carried by the engine of S3 Batch Operations, whose function
 * keeps records in Copy_Logs; flagged records give results while the consignment is still under way.
 */

import type { ConsignmentEnd, ConsignmentEngine, ConsignmentOrder } from "../../ports/consignment-engine.ts";
import type { NumberedCopy, OnCopyResult } from "../../ports/copy-engine.ts";
import type { CopyRequest } from "../../ports/object-store.ts";
import { type FlaggedRecord, placeName } from "./copy-log-records.ts";
import type { CopyLogs } from "./copy-logs.ts";

/** `carrier` must send terms that name the table of `logs`. */
export class CopyLogEngine implements ConsignmentEngine {
  readonly #carrier: ConsignmentEngine;
  readonly #logs: Pick<CopyLogs, "flagged" | "remove">;
  /** Of the consignments that are carried now. */
  readonly #tokens = new Set<string>();

  constructor(carrier: ConsignmentEngine, logs: Pick<CopyLogs, "flagged" | "remove">) {
    this.#carrier = carrier;
    this.#logs = logs;
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
      return await this.#carrier.carry(order, onResult, signal);
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
