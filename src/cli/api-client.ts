/** `ApiClient`: HTTP client of a running service; its refusals become errors with every fault. */

import { type Fault, messageOf } from "../domain/errors.ts";
import { backoffMs } from "../domain/rates/backoff.ts";
import type { Clock } from "../ports/clock.ts";

/** An error answer of the service (RFC 9457 problem details) or of a proxy before it. */
export class ServiceProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly faults: readonly Fault[];

  constructor(status: number, code: string, message: string, faults: readonly Fault[]) {
    super(message);
    this.name = "ServiceProblem";
    this.status = status;
    this.code = code;
    this.faults = faults;
  }
}

/** The service did not answer. */
export class ServiceUnreachable extends Error {
  constructor(url: string, cause: unknown) {
    super(`no service answers at ${url}: ${causeText(cause)}`, { cause });
    this.name = "ServiceUnreachable";
  }
}

export interface ApiRequest {
  readonly method: "GET" | "POST";
  /** From the root of the service, e.g. `/jobs`. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ApiClientOptions {
  readonly url: string;
  readonly token: string | undefined;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
}

const ATTEMPTS = 4;
const BACKOFF = { firstMs: 300, mostMs: 2_000 } as const;
/** A submission checks stores and databases before it is answered, so this is long. */
const ANSWER_MS = 60_000;
/** Statuses that do not depend on the request, and are retried. */
const WORTH_REPEATING: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Every request here may be repeated: reads, actions, and submissions with their idempotency key. */
export class ApiClient {
  readonly #options: ApiClientOptions;

  constructor(options: ApiClientOptions) {
    this.#options = options;
  }

  /** The body of a 2xx answer. Throws {@link ServiceProblem}, or {@link ServiceUnreachable}. */
  async send<Answer>(request: ApiRequest): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      const last = attempt === ATTEMPTS;
      const answer = await this.#try(request, last);
      if (answer !== null && (last || !WORTH_REPEATING.has(answer.status))) return readAnswer<Answer>(answer);
      await this.#options.clock.sleep(backoffMs(BACKOFF, attempt, Math.random()));
    }
  }

  /** Null when the service could not be reached and this was not the last attempt. */
  async #try(request: ApiRequest, last: boolean): Promise<Response | null> {
    const { url, fetch } = this.#options;
    try {
      return await fetch(`${url.replace(/\/+$/, "")}${request.path}`, {
        method: request.method,
        headers: this.#headers(request),
        signal: AbortSignal.timeout(ANSWER_MS),
        ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
      });
    } catch (error) {
      if (!last) return null;
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      throw new ServiceUnreachable(url, cause);
    }
  }

  #headers(request: ApiRequest): Record<string, string> {
    const { token } = this.#options;
    return {
      accept: "application/json, application/problem+json",
      ...(request.body !== undefined && { "content-type": "application/json" }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...request.headers,
    };
  }
}

/** Connection errors with several addresses have an empty message and only a code. */
function causeText(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const message = messageOf(cause);
  return message === "" ? code : message;
}

async function readAnswer<Answer>(answer: Response): Promise<Answer> {
  const text = await answer.text();
  const body = parsed(text);
  if (answer.ok && body !== undefined) return body as Answer;
  if (answer.ok) throw new ServiceProblem(502, "not_json", "the answer is not JSON; is this Tranship?", []);
  const problem = isRecord(body) ? body : {};
  const detail = [problem.detail, problem.title].find((part) => typeof part === "string");
  const code = typeof problem.code === "string" ? problem.code : `http_${answer.status}`;
  const message = detail ?? `the service answered ${answer.status} ${answer.statusText}`.trim();
  throw new ServiceProblem(answer.status, code, message, faultsOf(problem));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function faultsOf(problem: Readonly<Record<string, unknown>>): Fault[] {
  const list = Array.isArray(problem.faults) ? problem.faults : [];
  return list.filter(isRecord).map((fault) => ({
    pointer: String(fault.pointer ?? ""),
    message: String(fault.message ?? ""),
  }));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
