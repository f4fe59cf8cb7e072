/** Packages of the functions: the same source gives the same bytes, wherever and whenever they are built. */

import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { bundleFunctions } from "../../../bundle-functions.ts";
import { bundleFile, FUNCTION_NAMES, importMs, packages } from "../../../src/cli/function-packages.ts";

const ROOT = join(import.meta.dirname, "../../..");
const directory = mkdtempSync(join(tmpdir(), "tranship-functions-"));
const built = join(directory, "built");

beforeAll(() => bundleFunctions(built, ROOT), 60_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

const hashes = (from: string) => packages(from).map(({ sha256 }) => sha256);

it("are the same when they are built again from a copy of the source elsewhere", async () => {
  const elsewhere = join(directory, "elsewhere/deeper");
  cpSync(join(ROOT, "src"), join(elsewhere, "src"), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(elsewhere, "node_modules"));
  await bundleFunctions(join(elsewhere, "built"), elsewhere);
  expect(hashes(join(elsewhere, "built"))).toEqual(hashes(built));
}, 60_000);

it("are the same at another time and in another time zone", () => {
  const expected = hashes(built);
  vi.useFakeTimers({ now: Date.UTC(2031, 6, 1), toFake: ["Date"] });
  for (const zone of ["Asia/Tokyo", "America/St_Johns"]) {
    vi.stubEnv("TZ", zone);
    expect(hashes(built)).toEqual(expected);
  }
});

it("are others when the code is", () => {
  const other = join(directory, "other");
  cpSync(built, other, { recursive: true });
  for (const name of FUNCTION_NAMES)
    writeFileSync(join(other, bundleFile(name)), "export const handler = 1;");
  for (const [n, hash] of hashes(other).entries()) expect(hash).not.toBe(hashes(built)[n]);
});

it("hold one file each that all may read, and are at most 600 kB", () => {
  for (const { name, zip, sha256, bytes } of packages(built)) {
    expect(Object.keys(unzipSync(zip))).toEqual([`${name}.mjs`]);
    expect(sha256).toBe(createHash("sha256").update(zip).digest("base64"));
    expect(bytes).toBe(zip.length);
    expect(bytes).toBeLessThan(600_000);
    // In the central directory: the system (3: Unix) and the file's mode.
    const entry = Buffer.from(zip).indexOf(Buffer.from("PK\x01\x02"));
    expect(zip[entry + 5]).toBe(3);
    expect(Buffer.from(zip).readUInt32LE(entry + 38) >>> 16).toBe(0o100644);
  }
});

it("import what Node.js has and nothing else, in a time that is measured", async () => {
  // There is no node_modules beside the bundles.
  for (const name of FUNCTION_NAMES) expect(await importMs(name, built)).toBeGreaterThan(1);
});

it("are asked for in vain before they are built", () => {
  expect(() => packages()).toThrow(expect.objectContaining({ code: "not_available" }));
});
