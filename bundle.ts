/**
 * The last step of a build: the executable in a few files instead of 1,900, which took most of its start to find and to
 * open. Replaces `dist/src/main.js`, which does the same without it, later. See docs/decisions/0019-bundled-start.md.
 */

import { build } from "rolldown";

await build({
  input: "src/main.ts",
  platform: "node",
  // A native module; and the HTTP server, which no job in the foreground loads and whose pages lie beside its code.
  external: ["better-sqlite3", "fastify", /^@fastify\//],
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
