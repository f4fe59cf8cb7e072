/** What `npm ci` does: it compiles nothing, warns of nothing, and brings the Node.js that everything here runs on. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { VERSION } from "../../src/version.ts";

const ROOT = join(import.meta.dirname, "../..");
const fileOf = (path: string) => readFileSync(join(ROOT, path), "utf8");
const manifest = JSON.parse(fileOf("package.json"));
const locked: Record<string, Record<string, unknown>> = JSON.parse(fileOf("package-lock.json")).packages;

it("runs the script of no package but npm's `node`; older versions of npm have classic-level find its own binary too", () => {
  const withScripts = Object.entries(locked).filter(([, { hasInstallScript }]) => hasInstallScript === true);
  expect(withScripts.map(([path]) => path)).toEqual(["node_modules/classic-level", "node_modules/node"]);
  expect(manifest.allowScripts).toEqual({ "better-sqlite3": false, "classic-level": false, node: true });
});

it("does not build better-sqlite3, which brings its binaries beside the sources", () => {
  // npm builds what has a binding.gyp, unless the lock file says otherwise; `npm install` leaves this line out.
  expect(locked["node_modules/better-sqlite3"]).toMatchObject({ gypfile: false });
});

it("has no package that its makers have deprecated", () => {
  expect(Object.entries(locked).filter(([, { deprecated }]) => deprecated !== undefined)).toEqual([]);
});

it("brings one Node.js, exactly, which is of the line of the container's", () => {
  const pinned: string = manifest.devDependencies.node;
  expect(pinned).toMatch(/^\d+\.\d+\.\d+$/);
  const images = [...fileOf("Dockerfile").matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
  expect(new Set(images)).toEqual(new Set([`node:${pinned.split(".")[0]}-bookworm-slim`]));
});

it("pins undici, on whose insides the connection stack relies", () => {
  expect(manifest.dependencies.undici).toBe(locked["node_modules/undici"]?.version);
});

it("is the version that the executable tells", () => expect(VERSION).toBe(manifest.version));
