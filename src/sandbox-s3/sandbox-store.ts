/** The sandbox store, an in-process S3 server for the demo, fault tests and benchmarks. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { VersioningState } from "./buckets/bucket.ts";
import {
  type ObjectView,
  type SeedBody,
  SeedContents,
  type SeedOptions,
  viewObject,
} from "./buckets/seeding.ts";
import { StoreClock } from "./buckets/store-clock.ts";
import { StoreState } from "./buckets/store-state.ts";
import { Faults } from "./faults/faults.ts";
import { RequestCounters } from "./faults/request-counters.ts";
import { type NumberedKeys, NumberedObjects } from "./objects/numbered-objects.ts";
import type { ObjectEncryption } from "./objects/stored-object.ts";
import { AcceptedCredentials } from "./protocol/accepted-credentials.ts";
import { AnswerSender } from "./protocol/answer-sender.ts";
import { closeServer, listen, trackSockets } from "./protocol/listening.ts";
import { RequestPipeline } from "./protocol/request-pipeline.ts";
import { SigV4Check } from "./protocol/sigv4-check.ts";

/** What a new bucket is like. */
export interface BucketOptions {
  readonly versioned?: boolean;
  /** Makes a bucket that holds nothing but these objects, and keeps no more than a bit of each. */
  readonly numbered?: NumberedKeys & {
    /** Whether all of them are there from the start, or none. */
    readonly filled: boolean;
  };
  /** The store's own unless given; requests signed for another region are answered with a redirect. */
  readonly region?: string;
  /** What objects get that are written without saying how; S3's own keys (`AES256`) unless given. */
  readonly encryption?: ObjectEncryption;
}

/** How to start a sandbox store. */
export interface SandboxStoreOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number;
  readonly host?: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region?: string;
  readonly buckets?: readonly (BucketOptions & { readonly name: string })[];
  /** The clock of signatures and of `Last-Modified`. */
  readonly now?: () => Date;
  /** False: conditions on the key that a copy, completion or deletion changes are ignored, as by Ceph 16. */
  readonly keepsConditions?: boolean;
}

/** A version of a key, as a check sees it. */
export interface VersionView {
  readonly key: string;
  readonly versionId: string;
  readonly isDeleteMarker: boolean;
}

/** An open multipart upload, as a check sees it. */
export interface UploadView {
  readonly key: string;
  readonly uploadId: string;
}

/** A running sandbox store. The methods work in process, without HTTP, and are not counted as requests. */
export interface SandboxStore {
  /** For example `http://127.0.0.1:40123`. */
  readonly url: string;
  readonly requests: RequestCounters;
  readonly faults: Faults;
  /** Who may sign requests: at first, the keys the store was started with. */
  readonly credentials: AcceptedCredentials;
  createBucket(name: string, options?: BucketOptions): void;
  setVersioning(bucket: string, state: Exclude<VersioningState, "Never">): void;
  /** Writes an object; a million small ones take seconds. */
  putObject(
    bucket: string,
    key: string,
    body: SeedBody,
    options?: SeedOptions,
  ): { readonly etag: string; readonly versionId: string };
  /** Deletes as a request without conditions would; with `versionId`, that version for good. */
  deleteObject(bucket: string, key: string, versionId?: string): void;
  /** The current object, or the version asked for. */
  getObject(bucket: string, key: string, versionId?: string): ObjectView | undefined;
  /** Keys of current objects, in byte order. */
  listKeys(bucket: string, prefix?: string): string[];
  /** How many current objects there are; delete markers do not count. */
  countObjects(bucket: string): number;
  listVersions(bucket: string): VersionView[];
  listUploads(bucket: string): UploadView[];
  /** Resets every connection at once, busy or idle; answers under way are lost. Gives how many there were. */
  resetConnections(): number;
  /** Stops listening and breaks every connection; harmless when repeated. */
  close(): Promise<void>;
}

/** Starts a sandbox store; resolves when it accepts connections. */
export async function startSandboxStore(options: SandboxStoreOptions): Promise<SandboxStore> {
  const region = options.region ?? "us-east-1";
  const clock = new StoreClock(options.now ?? (() => new Date()));
  const state = new StoreState(region, clock);
  state.keepsConditions = options.keepsConditions ?? true;
  const faults = new Faults(() => performance.now());
  const counters = new RequestCounters();
  const nowMs = () => clock.nowMs();
  const credentials = new AcceptedCredentials(nowMs);
  const { accessKeyId, secretAccessKey } = options;
  credentials.grant({ accessKeyId, secretAccessKey });
  const signatures = new SigV4Check({ credentials, region, regionOf: (name) => state.regionOf(name), nowMs });
  const sender = new AnswerSender(clock);
  const pipeline = new RequestPipeline({ state, signatures, faults, counters, sender });
  // Clients keep idle connections for long, and a held request may take as long as its test.
  const server = createServer({ keepAliveTimeout: 120_000, requestTimeout: 0, maxHeaderSize: 64 * 1024 });
  server.on("request", (message, response) => pipeline.serve(message, response));
  const host = options.host ?? "127.0.0.1";
  await listen(server, options.port ?? 0, host);
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`;

  const store = assembleStore(url, { state, faults, counters, credentials }, server);
  for (const bucket of options.buckets ?? []) store.createBucket(bucket.name, bucket);
  return store;
}

interface StoreParts {
  readonly state: StoreState;
  readonly faults: Faults;
  readonly counters: RequestCounters;
  readonly credentials: AcceptedCredentials;
}

function assembleStore(
  url: string,
  { state, faults, counters: requests, credentials }: StoreParts,
  server: Server,
): SandboxStore {
  const seeds = new SeedContents();
  const sockets = trackSockets(server);
  return {
    url,
    requests,
    faults,
    credentials,
    createBucket: (name, { versioned = false, numbered, region, encryption } = {}) => {
      const index =
        numbered === undefined
          ? undefined
          : new NumberedObjects(numbered, state.clock.nowMs(), numbered.filled);
      const bucket = state.createBucket(name, index);
      if (versioned) bucket.versioning = "Enabled";
      bucket.region = region ?? bucket.region;
      bucket.encryption = encryption ?? bucket.encryption;
    },
    setVersioning: (bucket, versioning) => {
      state.bucket(bucket).versioning = versioning;
    },
    putObject: (bucket, key, body, seedOptions) => {
      const writtenMs = seedOptions?.lastModified?.getTime() ?? state.clock.nowMs();
      const object = state.bucket(bucket).put(key, seeds.make(body, seedOptions), writtenMs);
      return { etag: object.contents.etag, versionId: object.versionId };
    },
    deleteObject: (bucket, key, versionId) => {
      if (versionId === undefined) state.bucket(bucket).remove(key, state.clock.nowMs());
      else state.bucket(bucket).removeVersion(key, versionId);
    },
    getObject: (bucket, key, versionId) => readView(state, bucket, key, versionId),
    listKeys: (bucket, prefix = "") => {
      const keys: string[] = [];
      for (const [key, version] of state.bucket(bucket).index.entries()) {
        if (!version.isDeleteMarker && key.startsWith(prefix)) keys.push(key);
      }
      return keys;
    },
    countObjects: (bucket) => {
      const { index, versioning } = state.bucket(bucket);
      if (versioning === "Never") return index.size;
      let count = 0;
      for (const [, version] of index.entries()) if (!version.isDeleteMarker) count++;
      return count;
    },
    listVersions: (bucket) => collectVersions(state, bucket),
    listUploads: (bucket) =>
      state.uploads.inBucket(bucket).map((upload) => ({
        key: upload.plan.key,
        uploadId: upload.uploadId,
      })),
    resetConnections: () => {
      const open = [...sockets];
      for (const socket of open) socket.resetAndDestroy();
      return open.length;
    },
    close: () => {
      faults.release();
      return closeServer(server);
    },
  };
}

function readView(
  state: StoreState,
  bucketName: string,
  key: string,
  versionId: string | undefined,
): ObjectView | undefined {
  const bucket = state.bucket(bucketName);
  const version = versionId === undefined ? bucket.current(key) : bucket.version(key, versionId);
  return version === undefined || version.isDeleteMarker ? undefined : viewObject(key, version);
}

function collectVersions(state: StoreState, bucket: string): VersionView[] {
  const views: VersionView[] = [];
  for (const [key, newest] of state.bucket(bucket).index.entries()) {
    for (let version = newest; ; version = version.older) {
      const { versionId, isDeleteMarker } = version;
      views.push({ key, versionId, isDeleteMarker });
      if (version.older === undefined) break;
    }
  }
  return views;
}
