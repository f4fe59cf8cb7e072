/** Buckets and tables made of numbers, in simulated time: millions of objects in a few bytes each, every call on record. */

import { DomainError } from "../../../src/domain/errors.ts";
import type { ReferenceSpec } from "../../../src/domain/job-spec.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Connections } from "../../../src/ports/connections.ts";
import type { DatabaseHealth } from "../../../src/ports/database-health.ts";
import type {
  ListedObject,
  ListPage,
  ListRequest,
  ObjectStore,
  RequestCounts,
} from "../../../src/ports/object-store.ts";
import {
  type ReferencedRow,
  type ReferenceTable,
  unlimitedStatements,
} from "../../../src/ports/reference-table.ts";
import { Estate, indexOf, type Kind, keyOf, NEW, OLD } from "./simulated-estate.ts";

const REQUEST_MS = 25;
const STATEMENT_MS = 15;
const OBJECT_BYTES = 40_000;

/** All estates, as one store `main` and one database `app`. */
export class SimulatedWorld implements Connections {
  readonly storeNames = ["main"];
  readonly databaseNames = ["app"];
  /** Requests and statements that have begun and not ended. */
  underWay = 0;
  readonly #clock: Clock;
  readonly #estates: Estate[] = [];
  readonly #threadsRunning: (at: number) => number;

  constructor(clock: Clock, threadsRunning: (at: number) => number) {
    this.#clock = clock;
    this.#threadsRunning = threadsRunning;
  }

  addEstate(name: string, size: number): Estate {
    const estate = new Estate(name, size, this.#clock);
    this.#estates.push(estate);
    return estate;
  }

  store(_name: string, counts: RequestCounts): ObjectStore {
    return simulatedStore(
      (bucket) => this.#estateOf(bucket),
      counts,
      (kind, estate) => this.#lasts(kind, estate, REQUEST_MS),
    );
  }

  storeLimits(): { requestsPerSecond: null; bytesPerSecond: null } {
    return { requestsPerSecond: null, bytesPerSecond: null };
  }

  awsOf() {
    return { isAws: false, settings: null, prices: null };
  }

  reference(spec: ReferenceSpec, statements: Record<string, number>): ReferenceTable {
    const estate = this.#estates.find(({ table }) => table === spec.table);
    if (estate === undefined) throw new DomainError("invalid_input", `no table ${spec.table}`);
    return simulatedTable(estate, () => {
      statements.app = (statements.app ?? 0) + 1;
      return this.#lasts("statement", estate, STATEMENT_MS);
    });
  }

  health(database: string): DatabaseHealth {
    return {
      database,
      sample: async () => {
        const threadsRunning = this.#threadsRunning(this.#clock.now());
        await this.#clock.sleep(3);
        return { threadsRunning, replicaLagSeconds: null, replica: null, lockWaits: 0, missingRights: [] };
      },
    };
  }

  async close(): Promise<void> {}

  #estateOf(bucket: string): Estate {
    const estate = this.#estates.find(({ source, target }) => source === bucket || target === bucket);
    if (estate === undefined) throw new DomainError("bucket_missing", `no bucket ${bucket}`);
    return estate;
  }

  async #lasts(kind: Kind, estate: Estate, ms: number): Promise<void> {
    estate.begins(kind);
    this.underWay += 1;
    await this.#clock.sleep(ms);
    this.underWay -= 1;
  }
}

function simulatedStore(
  estateOf: (bucket: string) => Estate,
  counts: RequestCounts,
  lasts: (kind: Kind, estate: Estate) => Promise<void>,
): ObjectStore {
  return {
    endpoint: "simulated",
    async list(request) {
      counts.list += 1;
      const estate = estateOf(request.bucket);
      const page = listed(estate, request);
      await lasts("list", estate);
      return page;
    },
    async head({ bucket, key }) {
      counts.head += 1;
      const estate = estateOf(bucket);
      await lasts("head", estate);
      const index = indexOf(estate.prefixOf(bucket), key, estate.size);
      if (index === null || !estate.stands(bucket, index)) return null;
      const facts = {
        needsRestore: false,
        contentType: null,
        encryption: null,
        metadata: {},
        tagCount: 0,
        checksums: [],
      };
      return { ...objectAt(key, index), ...facts };
    },
    async copy({ source, target }) {
      counts.copy += 1;
      const estate = estateOf(target.bucket);
      const isTaken = estate.takesWrite();
      const index = indexOf(OLD, source.key, estate.size);
      const isRight = index !== null && target.key === keyOf(NEW, index) && source.bucket === estate.source;
      if (!isRight) throw new DomainError("store_refused", `${source.key} to ${target.key}`);
      await lasts("copy", estate);
      if (!isTaken) {
        counts.throttled += 1;
        throw new DomainError("store_throttled", "SlowDown");
      }
      if (!estate.stands(estate.source, index)) return { kind: "source_gone" };
      if (estate.stands(estate.target, index)) return { kind: "precondition_failed" };
      estate.copied[index] = 1;
      return { kind: "copied", etag: source.etag };
    },
    finishCopy: () => unasked(),
    acl: () => unasked(),
    async deleteObjects(bucket, objects) {
      counts.delete += 1;
      const estate = estateOf(bucket);
      await lasts("delete", estate);
      return objects.map(({ key }) => {
        const index = indexOf(OLD, key, estate.size);
        if (bucket !== estate.source || index === null) throw new DomainError("store_refused", key);
        estate.deleted[index] = (estate.deleted[index] ?? 0) + 1;
        return { key, failure: null };
      });
    },
    hiddenVersion: async () => null,
    protection: () => ({ copies: "store", deletions: "store", copyGapMs: null }),
    bucketFacts: async () => ({ exists: true, versioning: "off", isAlias: false, defaultEncryption: null }),
    read: () => unasked(),
    write: () => unasked(),
    ping: async () => {},
  };
}

function simulatedTable(estate: Estate, lasts: () => Promise<void>): ReferenceTable {
  const rowAt = (index: number): ReferencedRow => ({ id: String(index + 1), value: estate.valueOf(index) });
  const holding = (value: string): number | null => {
    const index = indexOf(value.startsWith(OLD) ? OLD : NEW, value, estate.size);
    return index !== null && estate.valueOf(index) === value ? index : null;
  };
  return {
    database: "app",
    async inspect() {
      return {
        ...{ tableExists: true, missingColumns: [], keyIsUnique: true, columnIsIndexed: true },
        ...{ columnIsUnique: false, columnLength: 200, columnType: "varchar", collation: null },
        ...{ estimatedRows: estate.size, selfUpdatingColumns: [], triggers: [], mayRewrite: true },
      };
    },
    async page(afterId, valuePrefix, limit, limiter = unlimitedStatements) {
      await limiter(lasts);
      const rows: ReferencedRow[] = [];
      for (let index = Number(afterId ?? 0); index < estate.size && rows.length < limit; index += 1) {
        const row = rowAt(index);
        if (row.value.startsWith(valuePrefix)) rows.push(row);
      }
      return rows;
    },
    async starting(valuePrefix, most, limiter = unlimitedStatements) {
      await limiter(lasts);
      const rows: ReferencedRow[] = [];
      for (let index = 0; index < estate.size && rows.length < most; index += 1) {
        if (estate.valueOf(index).startsWith(valuePrefix)) rows.push(rowAt(index));
      }
      return rows.length < most ? rows : null;
    },
    async findRows(values, limiter = unlimitedStatements) {
      await limiter(lasts);
      return values.flatMap((value) => holding(value) ?? []).map(rowAt);
    },
    matching({ values }, limiter) {
      return this.findRows(values, limiter);
    },
    async existing(ids, limiter = unlimitedStatements) {
      await limiter(lasts);
      return new Set(ids.filter((id) => Number(id) >= 1 && Number(id) <= estate.size));
    },
    async rewrite(values, { from, to }, limiter = unlimitedStatements) {
      await limiter(lasts);
      if (from !== OLD || to !== NEW) throw new DomainError("database_refused", `${from} to ${to}`);
      const indexes = values.flatMap((value) => holding(value) ?? []);
      for (const index of indexes) estate.changed[index] = (estate.changed[index] ?? 0) + 1;
      return { rows: indexes.length, failures: [] };
    },
    ping: async () => {},
  };
}

function unasked(): never {
  throw new DomainError("internal", "no job in this world asks for that");
}

function objectAt(key: string, index: number): ListedObject {
  const etag = (index * 2_654_435_761).toString(16).padStart(32, "0");
  return { key, size: OBJECT_BYTES, etag, storageClass: null, modifiedAt: 0 };
}

function listed(estate: Estate, { bucket, prefix, startAfter, limit }: ListRequest): ListPage {
  const own = estate.prefixOf(bucket);
  const isBefore = (index: number) => {
    const key = keyOf(own, index);
    return startAfter === null ? key < prefix : key <= startAfter || key < prefix;
  };
  let low = 0;
  for (let high = estate.size; low < high; ) {
    const middle = (low + high) >> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  const objects: ListedObject[] = [];
  for (let index = low; index < estate.size; index += 1) {
    if (!estate.stands(bucket, index)) continue;
    const key = keyOf(own, index);
    if (!key.startsWith(prefix)) break;
    if (objects.length === limit) return { objects, more: true };
    objects.push(objectAt(key, index));
  }
  return { objects, more: false };
}
