/** `openConnections`: the configured stores and databases, opened on first use and shared by all jobs of the process. */

import type { S3Client } from "@aws-sdk/client-s3";
import { type AwsSection, awsSettings } from "../domain/engines/aws-settings.ts";
import { DomainError } from "../domain/errors.ts";
import type { Connections } from "../ports/connections.ts";
import type { MysqlServer } from "./mysql-address.ts";
import { CredentialWatch } from "./s3/client/credential-watch.ts";
import { openS3Client } from "./s3/client/s3-client.ts";
import type { RequestTimeouts } from "./s3/client/s3-requests.ts";
import { endpointIdentity, isAws, type S3StoreConfig } from "./s3/client/store-config.ts";
import { partSlots } from "./s3/copy/multipart-copy.ts";
import { PooledCopies } from "./s3/copy/pooled-copies.ts";
import { S3ObjectStore } from "./s3/s3-object-store.ts";
import { fullCapabilities, type StoreCapabilities, unknownCapabilities } from "./s3/store-capabilities.ts";
import { type Database, openDatabase } from "./sql/open-database.ts";

interface OpenStore {
  readonly client: S3Client;
  readonly pools: PooledCopies;
  readonly endpoint: string;
  readonly credentials: CredentialWatch;
  readonly capabilities: StoreCapabilities;
  readonly partSlots: ReturnType<typeof partSlots>;
  readonly keepMultipartEtags: boolean;
}

/** Retry times of stores, shortened by tests. */
export interface Patience {
  readonly timeouts?: Partial<RequestTimeouts>;
  readonly credentialsMs?: number;
}

/** Opens no connection yet; throws `config_invalid` for an invalid address of a database or replica. */
export function openConnections(
  config: {
    readonly stores: Readonly<Record<string, S3StoreConfig & { readonly aws?: AwsSection }>>;
    readonly databases: Readonly<Record<string, string | MysqlServer>>;
    readonly replicas?: Readonly<Record<string, readonly (string | MysqlServer)[]>>;
  },
  { timeouts = {}, credentialsMs }: Patience = {},
): Connections {
  const databases = new Map<string, Database>(
    Object.entries(config.databases).map(([name, address]) => [
      name,
      openDatabase(name, address, { replicas: config.replicas?.[name] ?? [] }),
    ]),
  );
  const openedDatabase = (name: string): Database => {
    const database = databases.get(name);
    if (database === undefined) throw unknown("database", name, [...databases.keys()]);
    return database;
  };
  const stores = new Map<string, OpenStore>();
  const configured = (name: string) => {
    const settings = Object.hasOwn(config.stores, name) ? config.stores[name] : undefined;
    if (settings === undefined) throw unknown("store", name, Object.keys(config.stores));
    return settings;
  };
  const openStore = (name: string): OpenStore => {
    const known = stores.get(name);
    if (known !== undefined) return known;
    const settings = configured(name);
    const client = openS3Client(settings);
    const opened = {
      client,
      pools: new PooledCopies(client),
      endpoint: endpointIdentity(settings),
      credentials: new CredentialWatch(client, {
        store: name,
        ...(credentialsMs === undefined ? {} : { graceMs: credentialsMs }),
      }),
      // Other stores are probed by the first copy and the first deletion.
      capabilities: isAws(settings) ? fullCapabilities() : unknownCapabilities(),
      partSlots: partSlots(),
      // AWS gives an object that was uploaded in parts another ETag when it is copied in one piece, and old ones have no
      // checksum either: copied in the same parts they can be verified. Other stores keep the ETag (measured: Ceph).
      keepMultipartEtags: isAws(settings),
    };
    stores.set(name, opened);
    return opened;
  };
  return {
    storeNames: Object.keys(config.stores),
    databaseNames: Object.keys(config.databases),
    store(name, counts, mayWrite) {
      const opened = openStore(name);
      // Only a run writes. A preflight does not wait for credentials, and must not prolong the wait of a run.
      if (mayWrite !== undefined) opened.credentials.restartGrace();
      return new S3ObjectStore({ ...opened, counts, timeouts, mayWrite });
    },
    storeLimits: (name) => ({ requestsPerSecond: null, bytesPerSecond: null, ...configured(name).limits }),
    awsOf(name) {
      const store = configured(name);
      const prices = store.aws === undefined ? null : (store.aws.prices ?? {});
      return { isAws: isAws(store), settings: awsSettings(store.aws), prices };
    },
    reference: (spec, statements) => {
      const database = openedDatabase(spec.database);
      // Called as a run or a preflight begins: a missing right may have been granted since.
      database.askRightsAnew();
      return database.reference(spec, statements);
    },
    health: (name) => {
      const database = openedDatabase(name);
      database.askRightsAnew();
      return database.health;
    },
    async close() {
      await Promise.all([...databases.values()].map((database) => database.close()));
      for (const { client } of stores.values()) client.destroy();
      await Promise.all([...stores.values()].map(({ pools }) => pools.close()));
    },
  };
}

function unknown(what: string, name: string, known: readonly string[]): DomainError {
  const list = known.length === 0 ? "none is configured" : `configured are: ${known.join(", ")}`;
  return new DomainError("invalid_input", `unknown ${what} ${JSON.stringify(name)}; ${list}`);
}
