/** Tranship as a contender: the built executable, `tranship run`, with its defaults but concurrency and grace. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeArguments } from "../../test/support/executable.ts";
import type { ApplicationDatabase } from "../worlds/application-database.ts";
import { SOURCE, storeConfig, TARGET } from "../worlds/store-process.ts";
import type { Contender } from "./contender.ts";

/** What a job has to do besides moving objects. */
export interface TranshipVariant {
  readonly name: string;
  /** The rows that name the objects, from which the job also takes its inventory; null: no references. */
  readonly database: ApplicationDatabase | null;
  /** Where the ledger is. */
  readonly ledger: "sqlite" | "mariadb";
}

/** A job of that kind as a contender, carried out by the build in `dist`. */
export function transhipContender(dist: string, { name, database, ledger }: TranshipVariant): Contender {
  const progressUrl = async (directory: string) => {
    if (ledger === "sqlite" || database === null) return `sqlite:${join(directory, "ledger.db")}`;
    return database.emptyLedger();
  };
  return {
    name,
    share: 1,
    concurrent: true,
    async prepare({ storeUrl, concurrency, objects, directory }) {
      await database?.fill(objects);
      const config = {
        progress: await progressUrl(directory),
        stores: { main: storeConfig(storeUrl) },
        databases: database === null ? {} : { app: database.url },
        logLevel: "warn",
      };
      const job = {
        name: "benchmark",
        source: SOURCE,
        target: TARGET,
        ...(database && { references: [database.reference] }),
        limits: { concurrency },
        delete: { when: "verified", after: "0s" },
      };
      const [configFile, jobFile] = [join(directory, "config.json"), join(directory, "job.json")];
      writeFileSync(configFile, JSON.stringify(config));
      writeFileSync(jobFile, JSON.stringify(job));
      const args = nodeArguments(dist, ["run", jobFile, "--config", configFile, "--json"]);
      return {
        program: process.execPath,
        args,
        env: { PATH: "/usr/bin:/bin", HOME: directory },
        cwd: directory,
      };
    },
    check: async ({ objects }) => database?.check(objects),
  };
}
