/** Single settings of the configuration: replicas, the length of a lease, names of stores. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readConfig } from "../../../src/config.ts";
import { DomainError } from "../../../src/domain/errors.ts";

const directory = mkdtempSync(join(tmpdir(), "tranship-config-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function read(file: unknown, env: Record<string, string> = {}) {
  const path = join(directory, "config.json");
  writeFileSync(path, JSON.stringify(file));
  return readConfig(path, env);
}

const DATABASES = { app: "mysql://u:secret@primary/app", file: "sqlite:./app.db" };

const replicasIn = (replicas: unknown) => read({ databases: DATABASES, replicas }, { PASSWORD: "hidden" });

describe("replicas in the configuration", () => {
  it("stand by their database's name, with the environment filled in", () => {
    expect(replicasIn({ app: [`mysql://u:${"$"}{PASSWORD}@replica/app`] }).replicas).toEqual({
      app: ["mysql://u:hidden@replica/app"],
    });
    expect(replicasIn(undefined).replicas).toEqual({});
  });

  it.each([
    ["of a database that is not there", { other: ["mysql://u:hidden@r/app"] }, ["/replicas/other"]],
    ["of an inherited name", { constructor: ["mysql://u:hidden@r/app"] }, ["/replicas/constructor"]],
    ["of a file", { file: ["mysql://u:hidden@r/app"] }, ["/replicas/file"]],
    ["that are files", { app: ["sqlite:hidden.db"] }, ["/replicas/app/0"]],
    ["that are none", { app: [] }, ["/replicas/app"]],
  ])("%s are refused, without a secret in the message", (_, replicas, pointers) => {
    let error: unknown;
    try {
      replicasIn(replicas);
    } catch (thrown) {
      error = thrown;
    }
    if (!(error instanceof DomainError)) throw new Error("a DomainError was expected");
    expect(error.code).toBe("config_invalid");
    expect(error.faults.map(({ pointer }) => pointer)).toEqual(pointers);
    expect(error.message).not.toContain("hidden");
  });
});

describe("a lease", () => {
  it("is ten seconds unless configured, and two to sixty at will", () => {
    expect(readConfig(null, {}).leaseSeconds).toBe(10);
    for (const leaseSeconds of [2, 10, 60]) expect(read({ leaseSeconds })).toMatchObject({ leaseSeconds });
  });

  it.each([0, 1, 61, 2.5, -10, "10", null])("cannot be %j", (leaseSeconds) => {
    expect(() => read({ leaseSeconds })).toThrow(/\/leaseSeconds/);
  });
});

it("names of stores are as long as the ledger can keep", () => {
  const longest = "s".repeat(200);
  expect(Object.keys(read({ stores: { main: {}, [longest]: {} } }).stores)).toEqual(["main", longest]);
  expect(() => read({ stores: { [`${longest}s`]: {} } })).toThrow(
    /\/stores\/s+…: the name of a store has 200 characters at most/,
  );
});
