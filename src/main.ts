#!/usr/bin/env -S node --max-semi-space-size=16 --v8-pool-size=1
/** The executable: refuses a Node.js below the floor before anything is loaded that such a one cannot run. */

/** Least major version of Node.js; `engines` in package.json says the same. */
const LEAST_NODE_MAJOR = 22;

if (Number.parseInt(process.versions.node, 10) >= LEAST_NODE_MAJOR) {
  // Imported only here: static imports are loaded before the first statement runs.
  await import("./command-line.ts");
} else {
  const found = `this is ${process.versions.node} (${process.execPath})`;
  process.stderr.write(`tranship: needs Node.js ${LEAST_NODE_MAJOR} or newer; ${found}\n`);
  process.exitCode = 2;
}
