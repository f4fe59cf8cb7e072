/** A container's credentials endpoint, as ECS and EKS have it: what the SDK's provider chain asks for keys. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { SandboxKeys } from "../../../src/sandbox-s3/protocol/accepted-credentials.ts";

export interface CredentialsService {
  /** What it hands out; null answers 500. */
  keys: SandboxKeys | null;
  /** When what it hands out expires, as it says. */
  expiresAt: Date;
  /** How often it was asked. */
  readonly asked: () => number;
  /** Environment variables under which the chain finds it, and nothing else. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  close(): void;
}

export async function startCredentialsService(keys: SandboxKeys): Promise<CredentialsService> {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    if (service.keys === null) return response.writeHead(500).end();
    const { accessKeyId, secretAccessKey, sessionToken = "" } = service.keys;
    const answer = {
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      Token: sessionToken,
      Expiration: service.expiresAt.toISOString(),
    };
    return response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const service: CredentialsService = {
    keys,
    expiresAt: new Date(Date.now() + 3_600_000),
    asked: () => asked,
    environment: {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: undefined,
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_PROFILE: undefined,
      AWS_WEB_IDENTITY_TOKEN_FILE: undefined,
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return service;
}
