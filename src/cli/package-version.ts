/** The version of this package, from its `package.json`. */

import { readFileSync } from "node:fs";

/** Reads it from beside the sources, or from above the built files. */
export function packageVersion(): string {
  for (const path of ["../../package.json", "../../../package.json"]) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
      if (name === "tranship") return String(version);
    } catch {
      // Not there: the sources and the built files lie at different depths.
    }
  }
  return "unknown";
}
