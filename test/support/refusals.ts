/** What a refused request must look like, and proof that it changed nothing. */

import { expect } from "vitest";
import type { Answer, Service } from "./service.ts";

interface Refusal {
  readonly status?: number;
  readonly code?: string;
  /** Where the faults are; every one of them, in any order. */
  readonly at?: readonly string[];
  /** What the answer must tell: what is wrong, or what would be right. */
  readonly tells: RegExp;
}

/** `answer` is problem details with `status`, `code`, the faults' pointers and a message that helps. */
export function expectRefusal(answer: Answer, refused: Refusal): void {
  const { status = 422, code = "invalid_input", at, tells } = refused;
  const { body } = answer;
  const seen = JSON.stringify(body);
  expect(answer.status, seen).toBe(status);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(body).toMatchObject({ status, code, type: `urn:problem-type:tranship:${code}` });
  for (const field of ["title", "detail", "instance", "requestId"]) expect(body[field], field).toBeTruthy();
  if (at !== undefined) {
    const pointers = (body.faults ?? []).map((fault: { pointer: string }) => fault.pointer);
    expect(pointers.sort(), seen).toEqual([...at].sort());
  }
  const messages = (body.faults ?? []).map((fault: { message: string }) => fault.message);
  expect([body.detail, ...messages].join("\n")).toMatch(tells);
  expect(seen).not.toMatch(/constant|anyOf|\bat .*\.[jt]s:\d+/);
}

/** No job is listed. */
export async function expectNoJobs(service: Service): Promise<void> {
  const { status, body } = await service.call("GET", "/jobs");
  expect(status).toBe(200);
  expect(body.items).toEqual([]);
}
