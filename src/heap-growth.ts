/** How much garbage V8 lets pile up before it collects the whole heap. */

import { setFlagsFromString } from "node:v8";

/**
 * Percent of what was alive after the last collection. V8's own choice is up to 300 for a heap as small as ours (some
 * 60 MB alive), so that most of the resident memory is garbage that has grown old while its copy was under way.
 */
const GARBAGE_PERCENT = 40;

/**
 * Bounds the garbage on V8's heap for the rest of the process. In proportion, and so unlike `--max-old-space-size`
 * never a reason to fail: whatever is alive has its place. Costs some 0.01 ms of CPU an object; see decision 0012.
 */
export function boundHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${GARBAGE_PERCENT}`);
}
