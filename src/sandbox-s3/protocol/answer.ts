/** What an operation answers, before it becomes HTTP. */

import type { ObjectBody } from "../objects/object-body.ts";
import { xmlDocument } from "./xml.ts";

/** A range of an object to be streamed. */
export interface BodyRange {
  readonly source: ObjectBody;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** An answer; `Content-Length`, `Date` and request ids are added when it is sent. */
export interface Answer {
  readonly status: number;
  /** Names and values alternating. */
  readonly headers: readonly string[];
  readonly body: string | BodyRange | undefined;
  /** Answers to HEAD: the length GET would have. */
  readonly headLength?: number;
}

const XML_TYPE = ["Content-Type", "application/xml"] as const;

/** 200 with an XML document. */
export function xmlAnswer(root: string, content: string, headers: readonly string[] = []): Answer {
  return { status: 200, headers: [...XML_TYPE, ...headers], body: xmlDocument(root, content) };
}

/** An answer without a body. */
export function emptyAnswer(status: number, headers: readonly string[] = []): Answer {
  return { status, headers, body: undefined };
}

/** Appends a header unless its value is `undefined`. */
export function pushHeader(headers: string[], name: string, value: string | undefined): void {
  if (value !== undefined) headers.push(name, value);
}
