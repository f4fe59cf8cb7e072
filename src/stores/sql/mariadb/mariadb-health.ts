/** The health of a MariaDB or MySQL database: its own status, and the lag of its replicas. */

import { setTimeout as sleep } from "node:timers/promises";
import { DomainError } from "../../../domain/errors.ts";
import type { DatabaseHealth, HealthSample, MissingRight } from "../../../ports/database-health.ts";
import type { MariadbSessions } from "./mariadb-sessions.ts";
import { type Replication, ReplicationStatus } from "./replication-status.ts";

/** Both are global counters that any account may read. */
const STATUS =
  "SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_running', 'Innodb_row_lock_current_waits')";

/** A replica that takes longer to answer counts as stopped; the database's own status is not to wait for it. */
const REPLICA_ANSWERS_WITHIN_MS = 2000;

type LagPart = Pick<HealthSample, "replicaLagSeconds" | "replica" | "missingRights">;

const NO_LAG: LagPart = { replicaLagSeconds: null, replica: null, missingRights: [] };

/**
 * Uses sessions of its own, so that its statement does not queue behind those that it is to protect the database from.
 * With `replicas` configured only their lag counts, else that of the database's own server, if it is a replica.
 */
export class MariadbHealth implements DatabaseHealth {
  readonly database: string;
  readonly #primary: MariadbSessions;
  readonly #replicas: readonly MariadbSessions[];
  readonly #replication: ReadonlyMap<MariadbSessions, ReplicationStatus>;

  constructor(primary: MariadbSessions, replicas: readonly MariadbSessions[]) {
    this.database = primary.name;
    this.#primary = primary;
    this.#replicas = replicas;
    this.#replication = new Map(
      [primary, ...replicas].map((sessions) => [sessions, new ReplicationStatus(sessions)]),
    );
  }

  async sample(ask: { readonly replicaLag: boolean }): Promise<HealthSample> {
    const [status, lag] = await Promise.all([this.#status(), ask.replicaLag ? this.#lag() : NO_LAG]);
    return { ...status, ...lag };
  }

  /** See {@link MariadbSessions.askRightsAnew}. */
  askRightsAnew(): void {
    for (const sessions of [this.#primary, ...this.#replicas]) sessions.askRightsAnew();
  }

  async close(): Promise<void> {
    await Promise.all([this.#primary, ...this.#replicas].map((sessions) => sessions.close()));
  }

  async #status(): Promise<Pick<HealthSample, "threadsRunning" | "lockWaits">> {
    const values = new Map<string, number>();
    for (const { Variable_name: name, Value: value } of await this.#primary.show(STATUS)) {
      values.set(String(name).toLowerCase(), Number(value));
    }
    return {
      threadsRunning: values.get("threads_running") ?? null,
      lockWaits: values.get("innodb_row_lock_current_waits") ?? null,
    };
  }

  async #lag(): Promise<LagPart> {
    if (this.#replicas.length === 0) return lagPart(this.#primary.name, await this.#ask(this.#primary));
    const parts = await Promise.all(this.#replicas.map((sessions) => this.#replicaLag(sessions)));
    return {
      ...parts.reduce((worst, part) =>
        (part.replicaLagSeconds ?? -1) > (worst.replicaLagSeconds ?? -1) ? part : worst,
      ),
      missingRights: parts.flatMap(({ missingRights }) => missingRights),
    };
  }

  /** A configured replica that cannot be asked, or replicates from no server, counts as stopped. */
  async #replicaLag(sessions: MariadbSessions): Promise<LagPart> {
    try {
      const replication = await inTime(this.#ask(sessions));
      if (replication === null) {
        const seconds = REPLICA_ANSWERS_WITHIN_MS / 1000;
        return lost(sessions.name, `replica ${sessions.name} has not answered for ${seconds} s`);
      }
      if (replication.kind === "known" && replication.lagSeconds === null) {
        return lost(sessions.name, `replica ${sessions.name} replicates from no server`);
      }
      return lagPart(sessions.name, replication);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return lost(sessions.name, `replica ${sessions.name} does not answer: ${error.message}`);
    }
  }

  #ask(sessions: MariadbSessions): Promise<Replication> {
    return (this.#replication.get(sessions) as ReplicationStatus).ask();
  }
}

/** What `answer` gives, or null when it comes too late. */
async function inTime<Answer>(answer: Promise<Answer>): Promise<Answer | null> {
  const over = new AbortController();
  try {
    const late = sleep(REPLICA_ANSWERS_WITHIN_MS, null, { signal: over.signal });
    return await Promise.race([answer, late]);
  } finally {
    over.abort();
  }
}

function lagPart(server: string, replication: Replication): LagPart {
  if (replication.kind === "forbidden") {
    const { right, grant } = replication;
    const missing: MissingRight = { measure: "replicaLagSeconds", server, right, grant };
    return { ...NO_LAG, missingRights: [missing] };
  }
  const { lagSeconds } = replication;
  if (lagSeconds === null) return NO_LAG;
  if (lagSeconds === Number.POSITIVE_INFINITY) {
    return lost(server, `replication on ${server} is stopped or broken (its lag is NULL)`);
  }
  return { replicaLagSeconds: lagSeconds, replica: { server, trouble: null }, missingRights: [] };
}

function lost(server: string, trouble: string): LagPart {
  return { replicaLagSeconds: Number.POSITIVE_INFINITY, replica: { server, trouble }, missingRights: [] };
}
