#!/usr/bin/env -S node --max-semi-space-size=16 --v8-pool-size=1
/** The executable: refuses a Node.js below the floor before anything is loaded that such a one cannot run. */

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
/** Whether it has Node-API 10, without which better-sqlite3 ends the process; `engines` in package.json says the same. */
const isSupported = major >= 24 || (major === 23 && minor >= 6) || (major === 22 && minor >= 14);

if (isSupported) {
  // Imported only here: static imports are loaded before the first statement runs.
  await import("./command-line.ts");
} else {
  const found = `this is ${process.versions.node} (${process.execPath})`;
  process.stderr.write(`tranship: needs Node.js 22.14, 23.6 or newer; ${found}\n`);
  process.exitCode = 2;
}
