/** `openDeployment`: wires the commands of a deployment on AWS; loaded by these commands only. */

import { LambdaClient } from "@aws-sdk/client-lambda";
import type { Config } from "./config.ts";
import { type AwsSettings, awsSettings } from "./domain/engines/aws-settings.ts";
import { DomainError } from "./domain/errors.ts";
import { openControlClient } from "./engines/aws/control-client.ts";
import { AwsDeployment } from "./engines/aws/deployment/aws-deployment.ts";
import { observe } from "./engines/aws/deployment/observed-client.ts";
import { LambdaEngine } from "./engines/aws/lambda-engine.ts";
import { openTableClient } from "./engines/aws/table-client.ts";
import type { DeployedRelocation, Deployment, SeenExchange } from "./ports/deployment.ts";
import { openS3Client } from "./stores/s3/client/s3-client.ts";
import { isAws } from "./stores/s3/client/store-config.ts";
import { systemClock } from "./stores/system-clock.ts";

export { deploymentTemplate } from "./engines/aws/deployment/template.ts";

/** The deployment of the store `name`; `close()` it. Throws `invalid_input` where the store has none. */
export function openDeployment({ stores }: Config, name: string): Deployment {
  const store = Object.hasOwn(stores, name) ? stores[name] : undefined;
  if (store === undefined)
    throw new DomainError("invalid_input", `there is no store ${JSON.stringify(name)}`);
  const settings = awsSettings(store.aws);
  if (settings === null) {
    const needed = "accountId, copyFunction, jobRole and manifests";
    throw new DomainError("invalid_input", `stores.${name}.aws in the configuration must give ${needed}`);
  }
  const { endpoints, region } = settings;
  if (!isAws(store) && Object.keys(endpoints).length === 0) {
    throw new DomainError(
      "invalid_input",
      `the store ${name} is not AWS, and its aws section gives no endpoints`,
    );
  }
  const s3 = openS3Client({ ...store, region });
  const common = { region, credentials: s3.config.credentials, maxAttempts: 1 };
  return new AwsDeployment({
    settings,
    s3,
    clock: systemClock,
    lambda: new LambdaClient({ ...common, ...(endpoints.lambda && { endpoint: endpoints.lambda }) }),
    table: openTableClient({ ...common, ...(endpoints.dynamodb && { endpoint: endpoints.dynamodb }) }),
    engine: (relocation) => observedEngine(settings, relocation, s3),
  });
}

function observedEngine(
  settings: AwsSettings,
  { source, target }: DeployedRelocation,
  s3: ReturnType<typeof openS3Client>,
) {
  const seen: SeenExchange[] = [];
  const { region, endpoints } = settings;
  const control = openControlClient({
    region,
    credentials: s3.config.credentials,
    ...(endpoints.s3control && { endpoint: endpoints.s3control }),
  });
  observe(control, "s3-control", seen);
  const terms = {
    sourceBucket: source.bucket,
    sourcePrefix: source.prefix,
    targetBucket: target.bucket,
    targetPrefix: target.prefix,
    copyLogs: null,
    updates: null,
  };
  return { engine: new LambdaEngine({ control, s3, clock: systemClock, settings, terms }), seen };
}
