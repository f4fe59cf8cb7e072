/** The configured replicas of a database: taken as given, and refused for a database that is not configured. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readConfig } from "../../../src/config.ts";
import { DomainError } from "../../../src/domain/errors.ts";

const directory = mkdtempSync(join(tmpdir(), "tranship-config-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const DATABASES = { app: "mysql://u:secret@primary/app", file: "sqlite:./app.db" };

function read(replicas: unknown) {
  const path = join(directory, "config.json");
  writeFileSync(path, JSON.stringify({ databases: DATABASES, replicas }));
  return readConfig(path, { PASSWORD: "hidden" });
}

describe("replicas in the configuration", () => {
  it("stand by their database's name, with the environment filled in", () => {
    expect(read({ app: [`mysql://u:${"$"}{PASSWORD}@replica/app`] }).replicas).toEqual({
      app: ["mysql://u:hidden@replica/app"],
    });
    expect(read(undefined).replicas).toEqual({});
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
      read(replicas);
    } catch (thrown) {
      error = thrown;
    }
    if (!(error instanceof DomainError)) throw new Error("a DomainError was expected");
    expect(error.code).toBe("config_invalid");
    expect(error.faults.map(({ pointer }) => pointer)).toEqual(pointers);
    expect(error.message).not.toContain("hidden");
  });
});
