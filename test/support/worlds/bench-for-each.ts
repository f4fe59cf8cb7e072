/** A workbench of its own for each test of a file, and its clock. */

import { afterEach, beforeEach } from "vitest";
import { HandClock } from "../clocks/hand-clock.ts";
import { fillStore, openWorkbench, type Workbench, type WorkbenchOptions } from "./workbench.ts";

/** The workbench of the test that runs. */
export let bench: Workbench;
/** Its clock: the machine's, until a test moves it. */
export let clock: HandClock;

/**
 * Opens `bench` before each test and closes it afterwards: with an object in `bucket-a` for each of `objects` and a
 * row for each of `rows`.
 */
export function benchForEach(
  content: { readonly objects?: readonly string[]; readonly rows?: readonly string[] } = {},
  options: WorkbenchOptions = {},
): void {
  beforeEach(async () => {
    clock = new HandClock();
    bench = await openWorkbench({ clock, ...options });
    fillStore(bench.store, "bucket-a", content.objects ?? []);
    bench.addRows(content.rows ?? []);
  });
  afterEach(() => bench.close());
}
