/** The credentials that a sandbox store accepts, and when they expire. */

import { errorDetails, type S3ErrorDetails } from "./s3-error.ts";

/** A pair of keys; with a session token, one that must be sent along. */
export interface SandboxKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

interface Entry {
  readonly keys: SandboxKeys;
  expiresMs: number;
}

/** The accepted credentials; changes take effect with the next request. */
export class AcceptedCredentials {
  readonly #entries = new Map<string, Entry>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Accepts `keys`, until `expiresAt` by the store's clock if given. */
  grant(keys: SandboxKeys, expiresAt?: Date): void {
    this.#entries.set(keys.accessKeyId, {
      keys,
      expiresMs: expiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
    });
  }

  /** From now on these keys are expired; harmless for unknown ones. */
  expire(accessKeyId: string): void {
    const entry = this.#entries.get(accessKeyId);
    if (entry !== undefined) entry.expiresMs = this.#nowMs();
  }

  /** Removes these keys, as a deletion by their owner does. */
  revoke(accessKeyId: string): void {
    this.#entries.delete(accessKeyId);
  }

  /** The server's side: the secret to check a signature with, or what S3 objects to. */
  secretOf(accessKeyId: string, sessionToken: string | undefined): string | S3ErrorDetails {
    const entry = this.#entries.get(accessKeyId);
    if (entry === undefined) {
      return errorDetails("InvalidAccessKeyId", undefined, { fields: { AWSAccessKeyId: accessKeyId } });
    }
    if (sessionToken !== entry.keys.sessionToken) return errorDetails("InvalidToken");
    return this.#nowMs() >= entry.expiresMs ? errorDetails("ExpiredToken") : entry.keys.secretAccessKey;
  }
}
