/** `Config`: built from file and environment, frozen; no other file reads `process.env`. */

import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { type AddressConfig, addressFaults, readAddress } from "./config-addresses.ts";
import { AwsSectionSchema, awsSectionFaults } from "./config-aws.ts";
import type { AwsSection } from "./domain/engines/aws-settings.ts";
import { DomainError, type Fault, messageOf } from "./domain/errors.ts";
import { fileFrom, fileLeftElsewhere, fillTemplate } from "./environment-values.ts";
import { shapeFaults } from "./jobs/submit/shape-faults.ts";

const closed = { additionalProperties: false } as const;

const Store = Type.Object(
  {
    region: Type.Optional(Type.String({ minLength: 1 })),
    endpoint: Type.Optional(Type.String({ pattern: "^https?://" })),
    forcePathStyle: Type.Optional(Type.Boolean()),
    accessKeyId: Type.Optional(Type.String({ minLength: 1 })),
    secretAccessKey: Type.Optional(Type.String({ minLength: 1 })),
    sessionToken: Type.Optional(Type.String({ minLength: 1 })),
    limits: Type.Optional(
      Type.Object(
        {
          requestsPerSecond: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
          bytesPerSecond: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
        },
        closed,
      ),
    ),
    aws: Type.Optional(Type.Unsafe<AwsSection>(AwsSectionSchema)),
  },
  closed,
);

const Token = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    secret: Type.String({ minLength: 16 }),
    scopes: Type.Array(Type.Union([Type.Literal("read"), Type.Literal("operate"), Type.Literal("approve")])),
  },
  closed,
);

const ConfigFile = Type.Object(
  {
    listen: Type.Optional(
      Type.Object(
        {
          host: Type.Optional(Type.String({ minLength: 1 })),
          port: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
        },
        closed,
      ),
    ),
    tokens: Type.Optional(Type.Array(Token)),
    // Addresses are validated separately.
    progress: Type.Optional(Type.Unsafe<AddressConfig>(Type.Unknown())),
    leaseSeconds: Type.Optional(Type.Integer({ minimum: 2, maximum: 60 })),
    stores: Type.Optional(Type.Record(Type.String(), Store)),
    databases: Type.Optional(Type.Record(Type.String(), Type.Unsafe<AddressConfig>(Type.Unknown()))),
    replicas: Type.Optional(
      Type.Record(Type.String(), Type.Array(Type.Unsafe<AddressConfig>(Type.Unknown()), { minItems: 1 })),
    ),
    logLevel: Type.Optional(
      Type.Union(["debug", "info", "warn", "error", "silent"].map((level) => Type.Literal(level))),
    ),
  },
  closed,
);

const DEFAULT_PROGRESS = "sqlite:./tranship.db";

export type ConfiguredStore = Static<typeof Store>;
export type TokenConfig = Static<typeof Token>;

export interface Config {
  readonly listen: { readonly host: string; readonly port: number };
  readonly tokens: readonly TokenConfig[];
  /** Where the ledger is: `sqlite:FILE`, `mysql://…` or a server's parts. */
  readonly progress: AddressConfig;
  /** Lease duration in seconds: a job of a process that has not renewed for this long may be claimed; renewed ten times in it. */
  readonly leaseSeconds: number;
  readonly stores: Readonly<Record<string, ConfiguredStore>>;
  readonly databases: Readonly<Record<string, AddressConfig>>;
  /** Addresses of the servers that replicate from a database, by the database's name; guards watch their lag. */
  readonly replicas: Readonly<Record<string, readonly AddressConfig[]>>;
  readonly logLevel: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const checked = Compile(ConfigFile);

/**
 * Builds the configuration from the parsed file (`{}` for none) and the environment. Pure. SQLite files that are given
 * relatively count from `folder`; null is the working directory. Throws `config_invalid`
 * with every fault; of the values only accounts and Regions in ARNs appear in messages, for others may be secrets.
 */
function loadConfig(file: unknown, env: Environment, folder: string | null): Config {
  const faults: Fault[] = [];
  const filled = fillIn(file, env, "", faults);
  // A missing variable leaves an empty string: only the missing variable is reported.
  if (faults.length === 0 && !checked.Check(filled)) {
    faults.push(...shapeFaults([...checked.Errors(filled)], {}));
  }
  if (faults.length === 0) faults.push(...nameFaults(filled as Static<typeof ConfigFile>));
  if (faults.length > 0) {
    const list = faults.map((fault) => `${fault.pointer || "/"}: ${fault.message}`).join("; ");
    throw new DomainError("config_invalid", `the configuration is not valid: ${list}`, { faults });
  }
  const given = filled as Static<typeof ConfigFile>;
  const located = (address: AddressConfig) =>
    folder === null ? address : (fileFrom(folder, readAddress(address)) as AddressConfig);
  return Object.freeze({
    listen: { host: given.listen?.host ?? "127.0.0.1", port: given.listen?.port ?? 8080 },
    tokens: given.tokens ?? [],
    progress: located(given.progress ?? DEFAULT_PROGRESS),
    leaseSeconds: given.leaseSeconds ?? 10,
    stores: given.stores ?? { main: {} },
    databases: mapped(given.databases ?? {}, located),
    replicas: mapped(given.replicas ?? {}, (addresses) => addresses.map(located)),
    logLevel: given.logLevel ?? "info",
  });
}

/** Store names must fit, with a key of the limit, in 255 characters of the ledger's table of shares. */
const LONGEST_STORE_NAME = 200;

function nameFaults(file: Static<typeof ConfigFile>): Fault[] {
  const faults = [...allAddressFaults(file), ...awsSectionFaults(file.stores ?? {})];
  return faults.length > 0 ? faults : [...longNames(file), ...replicaFaults(file)];
}

function allAddressFaults({ progress, databases = {}, replicas = {} }: Static<typeof ConfigFile>): Fault[] {
  return [
    ...addressFaults(readAddress(progress), "/progress"),
    ...Object.entries(databases).flatMap(([name, address]) =>
      addressFaults(readAddress(address), `/databases/${name}`),
    ),
    ...Object.entries(replicas).flatMap(([name, addresses]) =>
      addresses.flatMap((address, nth) =>
        addressFaults(readAddress(address), `/replicas/${name}/${nth}`, { files: false }),
      ),
    ),
  ];
}

function mapped<Given, Made>(record: Readonly<Record<string, Given>>, make: (given: Given) => Made) {
  return Object.fromEntries(Object.entries(record).map(([name, given]) => [name, make(given)]));
}

function longNames({ stores = {} }: Static<typeof ConfigFile>): Fault[] {
  return Object.keys(stores)
    .filter((name) => name.length > LONGEST_STORE_NAME)
    .map((name) => ({
      pointer: `/stores/${name.slice(0, 20)}…`,
      message: `the name of a store has ${LONGEST_STORE_NAME} characters at most`,
    }));
}

/** Faults for replicas of a database that is not configured. */
function replicaFaults({ databases = {}, replicas = {} }: Static<typeof ConfigFile>): Fault[] {
  return Object.keys(replicas).flatMap((name) => {
    const pointer = `/replicas/${name}`;
    const address = Object.hasOwn(databases, name) ? databases[name] : undefined;
    if (address === undefined) return [{ pointer, message: "no database of this name is configured" }];
    return typeof address === "string" && address.startsWith("sqlite:")
      ? [{ pointer, message: "an SQLite file has no replicas" }]
      : [];
  });
}

/** Reads the configuration file at `path` (null: none) and the process's environment. */
export function readConfig(path: string | null, env: Environment = process.env): Config {
  if (path === null) return loadConfig({}, env, null);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new DomainError("config_invalid", `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
  const file = parseJson(text, path);
  const config = loadConfig(file, env, dirname(path));
  refuseLeftLedger(file as Static<typeof ConfigFile>, dirname(path));
  return config;
}

/** Fault where a ledger of an earlier version stands in the working directory: an empty one must not replace it unnoticed. */
function refuseLeftLedger({ progress = DEFAULT_PROGRESS }: Static<typeof ConfigFile>, folder: string): void {
  const left = fileLeftElsewhere(folder, progress);
  if (left === null) return;
  const message =
    `/progress: a relative path counts from the configuration's folder, and the ledger is in the working directory (${left}): ` +
    "give its whole path, or move it";
  throw new DomainError("config_invalid", message, { faults: [{ pointer: "/progress", message }] });
}

/** The process's environment, for code that needs more of it than the configuration. */
export function readEnvironment(): Environment {
  return process.env;
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may hold a secret.
    throw new DomainError("config_invalid", `${path} is not JSON`);
  }
}

/** Replaces `${NAME}` in every string by the variable's value; a missing variable is a fault, never an empty secret. */
function fillIn(value: unknown, env: Environment, pointer: string, faults: Fault[]): unknown {
  if (typeof value === "string") {
    return fillTemplate(value, (name) => {
      const found = env[name];
      if (found === undefined)
        faults.push({ pointer, message: `the environment variable ${name} is not set` });
      return found ?? "";
    });
  }
  if (Array.isArray(value)) return value.map((item, i) => fillIn(item, env, `${pointer}/${i}`, faults));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, fillIn(item, env, `${pointer}/${key}`, faults)]),
  );
}
