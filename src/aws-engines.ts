/** The engines on AWS, with the clients of the configured stores. */

import type { S3Client } from "@aws-sdk/client-s3";
import type { ConfiguredStore } from "./config.ts";
import type { AwsEngineName } from "./domain/job-spec.ts";
import type { JobParts, OpenConsignmentEngine } from "./jobs/job-parts.ts";
import { openS3Client } from "./stores/s3/client/s3-client.ts";
import { systemClock } from "./stores/system-clock.ts";

/** The engines for jobs on `stores`; clients are opened with the first job that needs them. */
export function awsEngines(
  stores: Readonly<Record<string, ConfiguredStore>>,
): JobParts["consignmentEngines"] {
  const clients = new Map<string, S3Client>();
  const clientOf = (name: string): S3Client => {
    const client = clients.get(name) ?? openS3Client(stores[name] ?? {});
    clients.set(name, client);
    return client;
  };
  const open =
    (engine: AwsEngineName): OpenConsignmentEngine =>
    async ({ spec, settings }) => {
      // Loaded on demand: jobs that the service copies do not need AWS's other clients, and start sooner.
      const { openEngine } = await import("./engines/aws/open-engine.ts");
      const s3 = clientOf(spec.source.store);
      const { credentials } = s3.config;
      return openEngine(engine, { s3, credentials, clock: systemClock }, { spec, settings });
    };
  return { lambda: open("lambda"), "lambda-copy-log": open("lambda-copy-log") };
}
