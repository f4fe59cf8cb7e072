import { readFile } from "node:fs/promises";
import type { Static } from "typebox";
import { Compile } from "typebox/compile";
import { beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import type { JobSchema, PreflightSchema } from "../../../src/http/job-schemas.ts";
import { openApiDocument } from "../../../src/http/openapi-document.ts";
import { SHARED_SCHEMAS } from "../../../src/http/openapi-options.ts";
import type {
  auditAnswer,
  batchAnswer,
  exceptionAnswer,
  objectAnswer,
} from "../../../src/http/record-answers.ts";
import type {
  AuditSchema,
  BatchSchema,
  ExceptionSchema,
  ObjectSchema,
} from "../../../src/http/record-schemas.ts";
import type { PreflightReport } from "../../../src/jobs/preflight/preflight-report.ts";
import type { JobView } from "../../../src/jobs/view/job-view.ts";
import { door, doorForAll, GUARDED, JOB } from "./http-fakes.ts";

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly security?: readonly Record<string, readonly string[]>[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, { readonly content?: Record<string, { schema: object }> }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

let built: Document;
doorForAll();
beforeAll(async () => {
  built = (await openApiDocument()) as Document;
});
const operations = () =>
  Object.entries(built.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

describe("openapi/openapi.json", () => {
  it("is what the routes say; `npm run openapi` writes it anew", async () => {
    const url = new URL("../../../openapi/openapi.json", import.meta.url);
    const written: unknown = JSON.parse(await readFile(url, "utf8"));
    expect(written, "openapi/openapi.json is out of date: run `npm run openapi` and commit it").toEqual(
      built,
    );
  });

  it("comes out the same every time", async () => {
    expect(JSON.stringify(await openApiDocument())).toBe(JSON.stringify(built));
  });

  it("refers only to what it contains", () => {
    const references = [...JSON.stringify(built).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to]) => to);
    const known = Object.keys(built.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect(references.length).toBeGreaterThan(20);
    for (const reference of new Set(references)) expect(known).toContain(reference);
  });
});

describe("every route", () => {
  it("is documented with a summary, a tag and its problems", () => {
    expect(operations().length).toBe(
      new Set(GUARDED.map(([method, url]) => method + url.split("?")[0])).size + 2,
    );
    for (const { path, operation } of operations()) {
      expect([path, operation.summary]).toEqual([path, expect.any(String)]);
      expect([path, operation.tags?.length]).toEqual([path, 1]);
      const failure = operation.responses["500"]?.content ?? {};
      expect([path, Object.keys(failure)]).toEqual([
        path,
        path === "/health/live" ? [] : ["application/problem+json"],
      ]);
      for (const name of path.matchAll(/\{(\w+)\}/g)) {
        expect(operation.parameters).toContainEqual(expect.objectContaining({ in: "path", name: name[1] }));
      }
    }
  });

  it.each(GUARDED.filter(([, url]) => !url.includes("canary")))(
    "%s %s documents the scope it asks for",
    (method, url, scope) => {
      const path = (url.split("?")[0] ?? "").replace(JOB.id, "{id}");
      const operation = built.paths[path]?.[method.toLowerCase()];
      expect(operation?.security).toEqual([{ bearer: [scope] }]);
      expect(Object.keys(operation?.responses ?? {})).toEqual(expect.arrayContaining(["400", "401", "403"]));
    },
  );

  it.each(GUARDED)("%s %s answers as documented", async (method, url) => {
    const answer = await door.app.inject({ method, url, ...(method === "GET" ? {} : { payload: {} }) });
    const path = (url.split("?")[0] ?? "").replace(JOB.id, "{id}");
    const content = built.paths[path]?.[method.toLowerCase()]?.responses[answer.statusCode]?.content;
    const schema = content?.["application/json"]?.schema as { readonly $ref: string };
    expect(faultsOf(schema.$ref, answer.json())).toEqual([]);
  });

  it("answers problems as documented", async () => {
    const answers = await Promise.all([
      door.app.inject({ method: "GET", url: "/jobs?limit=0" }),
      door.app.inject({ method: "GET", url: "/nowhere" }),
    ]);
    for (const answer of answers) expect(faultsOf("#/components/schemas/Problem", answer.json())).toEqual([]);
  });
});

describe("the documented schemas", () => {
  it("say the same as the types", () => {
    type Plain<T> = T extends (infer Item)[] | readonly (infer Item)[]
      ? Plain<Item>[]
      : T extends object
        ? { -readonly [Name in keyof T]: Plain<T[Name]> }
        : T;
    expectTypeOf<Plain<JobView>>().toExtend<Omit<Plain<Static<typeof JobSchema>>, "spec">>();
    expectTypeOf<keyof JobView>().toEqualTypeOf<keyof Static<typeof JobSchema>>();
    expectTypeOf<Plain<PreflightReport>>().toEqualTypeOf<Plain<Static<typeof PreflightSchema>>>();
    expectTypeOf<Plain<ReturnType<typeof auditAnswer>>>().toEqualTypeOf<Plain<Static<typeof AuditSchema>>>();
    expectTypeOf<keyof ReturnType<typeof batchAnswer>>().toEqualTypeOf<keyof Static<typeof BatchSchema>>();
    expectTypeOf<keyof ReturnType<typeof objectAnswer>>().toEqualTypeOf<keyof Static<typeof ObjectSchema>>();
    expectTypeOf<keyof ReturnType<typeof exceptionAnswer>>().toEqualTypeOf<
      keyof Static<typeof ExceptionSchema>
    >();
  });
});

/** Faults of `value` by the schema that `reference` names, with the schemas it refers to. */
function faultsOf(reference: string, value: unknown): string[] {
  const name = reference.split("/").at(-1);
  const idOf = (schema: object) => (schema as { readonly $id?: string }).$id;
  const context = Object.fromEntries(SHARED_SCHEMAS.map((schema) => [idOf(schema), schema]));
  const schema = SHARED_SCHEMAS.find((shared) => idOf(shared) === name);
  if (schema === undefined) return [`no schema ${reference}`];
  return Compile(context, schema)
    .Errors(value)
    .map(({ instancePath, message }) => `${instancePath} ${message}`);
}
