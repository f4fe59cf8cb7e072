/**
 * The last step of a build: the executable in a few files instead of 1,900, which took most of its start to find and to
 * open. Replaces `dist/src/main.js`, which does the same without it, later. See docs/decisions/0019-bundled-start.md. And
 * the functions that run on AWS, in `dist/lambda`.
 */

import { build, type Plugin } from "rolldown";
import { bundleFunctions } from "./bundle-functions.ts";

/**
 * Writes whatever is not ASCII as an escape. V8 keeps a source text as long as its code, and with two bytes for each
 * character as soon as one needs them: the tables of mysql2's character sets would double 6 MB.
 */
const inAscii: Plugin = {
  name: "in-ascii",
  generateBundle(_, files) {
    for (const file of Object.values(files)) if (file.type === "chunk") file.code = escaped(file.code);
  },
};

function escaped(code: string): string {
  // After a backslash it would be the backslash that is escaped.
  const odd = /(?<!\\)(?:\\\\)*\\[^\0-\x7f]/.exec(code);
  if (odd !== null) throw new Error(`cannot be written in ASCII: ${JSON.stringify(odd[0])}`);
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

await build({
  input: "src/main.ts",
  platform: "node",
  // A native module; the HTTP server, which no job in the foreground loads and whose pages lie beside its code; and one
  // that reaches its other files in a way that bundlers do not see.
  external: ["better-sqlite3", "fastify", /^@fastify\//, "jsonc-parser"],
  // Nothing is to be told of in every build that nobody has to act on.
  onLog: (level, log) => {
    if (level === "warn") throw new Error(`the bundler warns: ${log.message}`);
  },
  plugins: [inAscii],
  output: {
    dir: "dist/src",
    format: "esm",
    entryFileNames: "[name].js",
    // No hashes: a later build replaces the files of an earlier one.
    chunkFileNames: "bundled/[name].js",
    sourcemap: true,
    // TypeORM and the SDK go by the names of some of their classes.
    keepNames: true,
  },
});

await bundleFunctions("dist/lambda", process.cwd());
