/** A stand-in for AWS STS: hands out credentials for a web identity token, as a pod's role has one, or refuses. */

import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SandboxKeys } from "../../../src/sandbox-s3/protocol/accepted-credentials.ts";

/** What it says instead of credentials. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
}

export interface StsService {
  /** What the SDK's provider chain has to find. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Null: hands out credentials. */
  refusal: Refusal | null;
  close(): void;
}

export async function startStsService(keys: SandboxKeys): Promise<StsService> {
  const directory = mkdtempSync(join(tmpdir(), "tranship-sts-"));
  const tokenFile = join(directory, "token");
  writeFileSync(tokenFile, "a web identity");
  const service: { refusal: Refusal | null } = { refusal: null };
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader("content-type", "text/xml");
    if (service.refusal === null) return void response.end(credentialsXml(keys));
    response.statusCode = service.refusal.status;
    response.end(
      `<ErrorResponse><Error><Type>Sender</Type><Code>${service.refusal.code}</Code><Message>no</Message></Error></ErrorResponse>`,
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return Object.assign(service, {
    environment: {
      AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${port}`,
      AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/tranship",
      AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
      AWS_REGION: "us-east-1",
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONTAINER_CREDENTIALS_FULL_URI: undefined,
      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: undefined,
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_PROFILE: undefined,
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    },
    close() {
      server.closeAllConnections();
      server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  });
}

function credentialsXml({ accessKeyId, secretAccessKey, sessionToken }: SandboxKeys): string {
  // Over at once by the SDK's clock, so that it has to ask again for every request; the store does not look at it.
  const expiration = new Date().toISOString();
  return (
    '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>' +
    `<Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey>` +
    `<SessionToken>${sessionToken}</SessionToken><Expiration>${expiration}</Expiration></Credentials>` +
    "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
  );
}
