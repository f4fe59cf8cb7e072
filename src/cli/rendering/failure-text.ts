/** Prints an error: on stderr as text, with every fault on a line of its own, and as JSON with `--json`. */

import { DomainError, type Fault, messageOf } from "../../domain/errors.ts";
import { ServiceProblem, ServiceUnreachable } from "../api-client.ts";
import { EXIT, type ExitCode, exitCodeOfError, exitCodeOfStatus } from "../exit-code.ts";
import type { Output } from "../output.ts";
import { UsageError } from "../usage-error.ts";
import { printable } from "./display-width.ts";

interface Failure {
  /** An unexpected error: show its stack. */
  readonly unexpected?: boolean;
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly message: string;
  readonly faults: readonly Fault[];
}

/** Prints the error and gives the exit code. */
export function reportFailure(error: unknown, json: boolean, output: Output): ExitCode {
  const failure = failureOf(error);
  const { exitCode, code, message, faults } = failure;
  output.err(`tranship: ${printable(headline(message, faults))}\n`);
  for (const fault of faults) {
    output.err(`  ${printable(fault.pointer === "" ? "/" : fault.pointer)}: ${printable(fault.message)}\n`);
  }
  if (error instanceof UsageError) {
    output.err(`Try: tranship ${error.command === null ? "" : `${error.command} `}--help\n`);
  }
  if (failure.unexpected && error instanceof Error && error.stack !== undefined)
    output.err(`${error.stack}\n`);
  if (json) output.out(`${JSON.stringify({ error: { code, message, faults } })}\n`);
  return exitCode;
}

function failureOf(error: unknown): Failure {
  if (error instanceof UsageError) {
    return { exitCode: EXIT.badInput, code: "usage", message: error.message, faults: [] };
  }
  if (error instanceof ServiceProblem) {
    const { code, message, faults } = error;
    return { exitCode: exitCodeOfStatus(error.status), code, message, faults };
  }
  if (error instanceof ServiceUnreachable) {
    return { exitCode: EXIT.failed, code: "unreachable", message: error.message, faults: [] };
  }
  if (error instanceof DomainError) {
    const { code, message, faults } = error;
    return { exitCode: exitCodeOfError(code), code, message, faults };
  }
  return { exitCode: EXIT.failed, code: "internal", message: messageOf(error), faults: [], unexpected: true };
}

/** The message without the list of faults that follow on lines of their own. */
function headline(message: string, faults: readonly Fault[]): string {
  const [first] = faults;
  if (first === undefined) return message;
  const at = message.indexOf(`: ${first.pointer === "" ? "/" : first.pointer}: ${first.message}`);
  return at > 0 ? message.slice(0, at) : message;
}
