/** vitest's global set-up for the suites on real servers: starts MariaDB and Ceph, and ends them after the run. */
import type { TestProject } from "vitest/node";
import { createRunDirectory, reapLeftovers, removeRunDirectory } from "../run-directory.ts";
import { type S3Facts, startCeph } from "./ceph.ts";
import { installParts } from "./install-parts.ts";
import { sqlServer, startMariadb } from "./mariadb.ts";

declare module "vitest" {
  /** What a test gets from `inject("mariadbUrl")` and `inject("s3")`. */
  export interface ProvidedContext {
    /** `mysql://user:password@host:port` of a user who may create databases. */
    mariadbUrl: string;
    s3: S3Facts;
  }
}

/** Provides each server from the environment's URL if it names one, else from a private one started here. */
export default async function startParts(project: TestProject): Promise<() => void> {
  const givenMariadb = process.env.TRANSHIP_TEST_MARIADB_URL;
  const givenS3 = s3FromEnvironment();
  await installParts([...(givenMariadb ? [] : [sqlServer()]), ...(givenS3 ? [] : (["ceph"] as const))]);
  const dir = createRunDirectory();
  // Both are awaited even if one fails, for a directory cannot be removed while a server is still filling it.
  const [mariadbUrl, s3] = await Promise.allSettled([
    givenMariadb ?? timed(sqlServer(), async () => (await startMariadb({ dir })).url),
    givenS3 ?? timed("ceph", async () => (await startCeph({ dir })).facts),
  ]);
  if (mariadbUrl.status === "rejected" || s3.status === "rejected") {
    removeRunDirectory(dir);
    throw mariadbUrl.status === "rejected" ? mariadbUrl.reason : (s3 as PromiseRejectedResult).reason;
  }
  project.provide("mariadbUrl", mariadbUrl.value);
  project.provide("s3", s3.value);
  // Killing is enough: both servers' data goes with the directory. Test processes may have left some as well.
  return () => {
    removeRunDirectory(dir);
    reapLeftovers();
  };
}

function s3FromEnvironment(): S3Facts | undefined {
  const endpoint = process.env.TRANSHIP_TEST_S3_URL;
  if (!endpoint) return undefined;
  const accessKeyId = process.env.TRANSHIP_TEST_S3_ACCESS_KEY;
  const secretAccessKey = process.env.TRANSHIP_TEST_S3_SECRET_KEY;
  if (!accessKeyId || !secretAccessKey) {
    throw new Error("TRANSHIP_TEST_S3_URL needs TRANSHIP_TEST_S3_ACCESS_KEY and TRANSHIP_TEST_S3_SECRET_KEY");
  }
  return { endpoint, region: "us-east-1", accessKeyId, secretAccessKey };
}

async function timed<T>(name: string, start: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const started = await start();
  process.stderr.write(`started ${name} in ${((performance.now() - begun) / 1000).toFixed(1)} s\n`);
  return started;
}
