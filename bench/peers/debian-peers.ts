/** The peers from Debian's packages, each with the best settings we found for it. */

import { accessSync, constants, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CREDENTIALS, REGION, SOURCE, TARGET } from "../worlds/store-process.ts";
import type { Contender, Race } from "./contender.ts";

/** A peer and the package it comes in. */
export interface Peer extends Contender {
  /** Debian's own binary; another one earlier on PATH is not what we compare with. */
  readonly program: string;
  readonly package: string;
  readonly versionArgs: readonly string[];
  /** The settings that matter, for the report. */
  readonly settings: string;
}

const RCLONE = "/usr/bin/rclone";
const AWS = "/usr/bin/aws";
const S3CMD = "/usr/bin/s3cmd";

/**
 * Copies on the store's side, HEAD of each copy, then deletes. Settings that spare the HEAD (`--s3-no-head-object`)
 * make it take every copy for corrupt. It lists no target and compares nothing, as there is nothing in the target.
 */
const rclone: Peer = {
  name: "rclone",
  program: RCLONE,
  package: "rclone",
  versionArgs: ["version"],
  settings: "`move --transfers C --checkers C --no-check-dest --fast-list --s3-no-check-bucket`",
  share: 1,
  concurrent: true,
  async prepare({ storeUrl, concurrency, directory }) {
    const from = `:s3:${SOURCE.bucket}/${trimmed(SOURCE.prefix)}`;
    const to = `:s3:${TARGET.bucket}/${trimmed(TARGET.prefix)}`;
    const args = ["move", from, to, "--config", "/dev/null", "--stats", "0"];
    args.push("--transfers", String(concurrency), "--checkers", String(concurrency));
    args.push("--no-check-dest", "--fast-list", "--s3-no-check-bucket", "--s3-force-path-style");
    args.push("--s3-provider", "Other", "--s3-endpoint", storeUrl, "--s3-region", REGION);
    args.push("--s3-upload-concurrency", "16", "--s3-copy-cutoff", "256M");
    args.push("--s3-access-key-id", CREDENTIALS.accessKeyId);
    args.push("--s3-secret-access-key", CREDENTIALS.secretAccessKey);
    return { program: RCLONE, args, env: plainEnvironment(directory), cwd: directory };
  },
};

/** Copies on the store's side, then deletes; `--copy-props none` spares a HEAD and the tags' request. */
const awsCli: Peer = {
  name: "aws-cli",
  program: AWS,
  package: "awscli",
  versionArgs: ["--version"],
  settings: "`s3 mv --recursive --copy-props none`, `max_concurrent_requests = C`, `max_queue_size = 10000`",
  share: 0.05,
  concurrent: true,
  async prepare({ storeUrl, concurrency, directory }) {
    const configFile = join(directory, "aws-config");
    const lines = [
      "[default]",
      `region = ${REGION}`,
      "retry_mode = adaptive",
      "max_attempts = 20",
      "s3 =",
      "  addressing_style = path",
      `  max_concurrent_requests = ${concurrency}`,
      "  max_queue_size = 10000",
      "",
    ];
    writeFileSync(configFile, lines.join("\n"));
    const from = `s3://${SOURCE.bucket}/${SOURCE.prefix}`;
    const to = `s3://${TARGET.bucket}/${TARGET.prefix}`;
    const args = ["--endpoint-url", storeUrl, "s3", "mv", from, to, "--recursive", "--copy-props", "none"];
    args.push("--only-show-errors");
    const env = {
      ...plainEnvironment(directory),
      AWS_CONFIG_FILE: configFile,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: "true",
    };
    return { program: AWS, args, env, cwd: directory };
  },
};

/** One request at a time, whatever is asked of it: three for each object. */
const s3cmd: Peer = {
  name: "s3cmd",
  program: S3CMD,
  package: "s3cmd",
  versionArgs: ["--version"],
  settings: "`mv --recursive`; it has no concurrency",
  share: 0.005,
  concurrent: false,
  async prepare({ storeUrl, directory }) {
    const { host } = new URL(storeUrl);
    const args = ["--no-ssl", `--host=${host}`, `--host-bucket=${host}`, `--region=${REGION}`, "--quiet"];
    args.push(`--access_key=${CREDENTIALS.accessKeyId}`, `--secret_key=${CREDENTIALS.secretAccessKey}`);
    args.push("mv", "--recursive", `s3://${SOURCE.bucket}/${SOURCE.prefix}`);
    args.push(`s3://${TARGET.bucket}/${TARGET.prefix}`);
    return { program: S3CMD, args, env: plainEnvironment(directory), cwd: directory };
  },
};

export const PEERS: readonly Peer[] = [rclone, awsCli, s3cmd];

/** Those that are installed. */
export function installedPeers(): Peer[] {
  return PEERS.filter(({ program }) => isExecutable(program));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function plainEnvironment(directory: Race["directory"]): Record<string, string> {
  return { PATH: "/usr/bin:/bin", HOME: directory };
}

function trimmed(prefix: string): string {
  return prefix.replace(/\/$/, "");
}
