/** Both functions in this process, each as one environment that updates rows of a database. */

import type { S3Client } from "@aws-sdk/client-s3";
import { CopyLogs } from "../../../src/engines/aws/copy-logs.ts";
import { answerEvent } from "../../../src/lambda/answer-event.ts";
import type { BatchAnswer } from "../../../src/lambda/batch-operations-event.ts";
import type { CopyPorts, CopyStore } from "../../../src/lambda/copy-ports.ts";
import { updateLandedRows } from "../../../src/lambda/landed-rows.ts";
import { openRowUpdater } from "../../../src/lambda/open-row-updater.ts";
import { recordedCopies } from "../../../src/lambda/recorded-copies.ts";
import { referencesIn } from "../../../src/lambda/row-updater.ts";
import { S3CopyStore } from "../../../src/lambda/s3-copy-store.ts";
import { settleMessages } from "../../../src/lambda/settle-messages.ts";
import { systemClock } from "../../../src/stores/system-clock.ts";
import type { CopyLogsTable } from "./events/copy-logs-table.ts";
import { createdMessage, type EventObject } from "./events/s3-events.ts";

export interface RowFunctionsOptions {
  readonly s3: S3Client;
  /** Null without function 2. */
  readonly table: CopyLogsTable | null;
  /** As jobs name it. */
  readonly database: string;
  readonly databaseUrl: string;
}

/** Environments outlive invocations: tables are remembered, connections kept. */
export class RowFunctions {
  /** Lines of both functions' logs. */
  readonly log: Readonly<Record<string, unknown>>[] = [];
  /** Production statements of both functions, by database. */
  readonly statements: Record<string, number> = {};
  /** Rows that both functions have changed. */
  rows = 0;
  /** Awaited with each object that function 1 has copied, before anything follows. */
  onCopied: (object: EventObject) => Promise<void> | void = () => {};
  readonly #ports: CopyPorts;
  readonly #logs: CopyLogs | null;
  readonly #copying: ReturnType<typeof openRowUpdater>;
  readonly #landing: ReturnType<typeof openRowUpdater>;

  constructor({ s3, table, database, databaseUrl: url }: RowFunctionsOptions) {
    const log = (line: Readonly<Record<string, unknown>>) => void this.log.push(line);
    const open = () => openRowUpdater({ name: database, url }, { clock: systemClock, log }, this.statements);
    [this.#copying, this.#landing] = [open(), open()];
    this.#logs = table && new CopyLogs(table.client, table.name, { clock: systemClock, mostMs: 5_000 });
    const logs = this.#logs;
    this.#ports = {
      store: this.#observed(new S3CopyStore(s3)),
      ...{ clock: systemClock, random: Math.random, log },
      ...(logs && { copyLog: () => recordedCopies(logs) }),
      updates: (job) => {
        referencesIn(database, job);
        return {
          afterCopy: async ({ source }) => {
            const rows = await this.#copying.updater.update(job, [source.key]);
            this.rows += rows;
          },
        };
      },
    };
  }

  /** Function 1. */
  copy(event: unknown, remainingMs = 60_000): Promise<BatchAnswer> {
    return answerEvent(this.#ports, event, remainingMs);
  }

  /** Function 2, with the events of `objects`. */
  async land(objects: readonly EventObject[], hasTime = true): Promise<void> {
    const logs = this.#logs;
    if (logs === null) throw new Error("there is no table");
    const messages = objects.map((object, n) => ({ messageId: String(n), body: createdMessage(object) }));
    const { updater } = this.#landing;
    const update: typeof updater.update = async (job, keys) => {
      const rows = await updater.update(job, keys);
      this.rows += rows;
      return rows;
    };
    const log = (line: Readonly<Record<string, unknown>>) => void this.log.push(line);
    await settleMessages(
      {
        flag: (object) => logs.flag(object),
        buckets: null,
        copierRoleId: "AROACOPIER",
        log,
        updateRows: (records) =>
          updateLandedRows({ logs, update, clock: systemClock, log }, records, () => hasTime),
      },
      messages,
    );
  }

  async close(): Promise<void> {
    await Promise.all([this.#copying.close(), this.#landing.close()]);
  }

  #observed(store: CopyStore): CopyStore {
    return {
      lookAtTarget: (planned, signal) => store.lookAtTarget(planned, signal),
      copy: async (planned, mayBegin, signal) => {
        const etag = await store.copy(planned, mayBegin, signal);
        await this.onCopied({ ...planned.target, etag, size: planned.task.size });
        return etag;
      },
    };
  }
}
