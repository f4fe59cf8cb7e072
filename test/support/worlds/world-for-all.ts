/** One sandbox world for all tests of a file. */

import { afterAll, beforeAll } from "vitest";
import { openSandboxWorld, type SandboxWorld } from "./sandbox-world.ts";

/** The world of the file whose tests run. */
export let world: SandboxWorld;

/** Opens `world` before the tests of a file and closes it after them. */
export function worldForAll(): void {
  beforeAll(async () => {
    world = await openSandboxWorld();
  });
  afterAll(() => world?.close());
}
