/** Started by its name, by `npm start` or in the container, Tranship asks Node for the same: decision 12 says what for. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { askedOfNode } from "../../support/executable.ts";

const ROOT = join(import.meta.dirname, "../../..");
const fileOf = (path: string) => readFileSync(join(ROOT, path), "utf8");

test("npm start and the container ask Node for what the executable's first line asks for", () => {
  const asked = askedOfNode(fileOf("src/main.ts"));
  expect(asked).toEqual(["--max-semi-space-size=16", "--v8-pool-size=1"]);
  const { scripts } = JSON.parse(fileOf("package.json")) as { scripts: Record<string, string> };
  expect(scripts.start).toBe(`node ${asked.join(" ")} dist/src/main.js serve`);
  const entry = /^ENTRYPOINT (\[.*\])$/m.exec(fileOf("Dockerfile"))?.[1] ?? "[]";
  expect(JSON.parse(entry)).toEqual(["node", "--enable-source-maps", ...asked, "/app/dist/src/main.js"]);
});

test.each([
  ["#!/usr/bin/env -S node\nx", []],
  ["#!/usr/bin/env -S node --a --b=1\nx", ["--a", "--b=1"]],
])("reads the options in %j", (program, options) => {
  expect(askedOfNode(program)).toEqual(options);
});

test.each(["", "#!/usr/bin/env node --a\n", "x\n#!/usr/bin/env -S node\n"])(
  "refuses a program that begins with %j",
  (program) => {
    expect(() => askedOfNode(program)).toThrow("first line");
  },
);
