/** Fastify validator: checks paths, queries and headers against TypeBox schemas and reports every fault at once. */

import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import type { Fault } from "../domain/errors.ts";
import { type RequestRefusal, unreadable } from "./problem-details.ts";

type Checked = { readonly value: unknown } | { readonly error: RequestRefusal };
type Values = Readonly<Record<string, unknown>>;

/**
 * Fastify's validator compiler. Bodies are jobs, which `Jobs` itself validates (it knows stores and databases, and gives all
 * faults together), so here a body must only be an object.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  switch (httpPart) {
    case "body":
      return mayBeLeftOut(schema)
        ? (body) => (body == null ? { value: undefined } : checkBody(body))
        : checkBody;
    case "querystring":
      return checkQuery(schema);
    case "headers":
      return checkHeaders(schema);
    default:
      return checkPath(schema);
  }
};

/** A body with optional fields only; bodies with required fields are shared schemas, referenced by name. */
function mayBeLeftOut(schema: TSchema): boolean {
  return "properties" in schema && !("required" in schema);
}

function checkBody(body: unknown): Checked {
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return { value: body };
  return {
    error: unreadable("The body must be a JSON object.", [{ pointer: "", message: "must be an object" }]),
  };
}

function checkPath(schema: TSchema): (given: Values) => Checked {
  const refuse = refusal(schema, "path");
  return (given) => refuse(given) ?? { value: given };
}

function checkQuery(schema: TSchema): (given: Values) => Checked {
  const refuse = refusal(schema, "query");
  const types = Object.entries(propertiesOf(schema));
  return (given) => {
    const value = Object.fromEntries(Object.entries(given));
    for (const [name, { type }] of types) if (name in value) value[name] = typed(value[name], type);
    return refuse(value) ?? { value };
  };
}

/** Header names are case-insensitive; the schema has them in their usual spelling. */
function checkHeaders(schema: TSchema): (given: Values) => Checked {
  const refuse = refusal(schema, "headers");
  const names = Object.keys(propertiesOf(schema));
  return (given) => {
    const named = names.filter((name) => given[name.toLowerCase()] !== undefined);
    const value = Object.fromEntries(named.map((name) => [name, given[name.toLowerCase()]]));
    return refuse(value) ?? { value: given };
  };
}

/** Converts unambiguous spellings only: `10` is a number; `1e1`, ` 10` and the empty string are not. */
function typed(text: unknown, type: unknown): unknown {
  if (type === "integer" && typeof text === "string" && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

function propertiesOf(schema: TSchema): Readonly<Record<string, { readonly type?: unknown }>> {
  return (schema as { properties?: Record<string, { type?: unknown }> }).properties ?? {};
}

function refusal(schema: TSchema, part: string): (value: unknown) => Checked | null {
  const checked = Compile(schema);
  return (value) => {
    if (checked.Check(value)) return null;
    const faults = faultsOf(checked.Errors(value));
    const list = faults.map((fault) => `${fault.pointer.slice(1)} ${fault.message}`).join("; ");
    return { error: unreadable(`The ${part} is not valid: ${list}.`, faults) };
  };
}

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

function faultsOf(errors: readonly SchemaError[]): Fault[] {
  return errors.flatMap((error): Fault[] => {
    const { allowedValues, requiredProperties } = error.params as Record<string, unknown>;
    switch (error.keyword) {
      case "additionalProperties":
        // Skipped: each unknown name is also reported at its own pointer.
        return [];
      case "boolean":
        return [{ pointer: error.instancePath, message: "is not known here" }];
      case "required":
        return strings(requiredProperties).map((name) => ({ pointer: `/${name}`, message: "is required" }));
      case "enum":
        return [
          { pointer: error.instancePath, message: `must be one of ${strings(allowedValues).join(", ")}` },
        ];
      default:
        return [{ pointer: error.instancePath, message: error.message }];
    }
  });
}

function strings(list: unknown): string[] {
  return Array.isArray(list) ? list.map(String) : [];
}
