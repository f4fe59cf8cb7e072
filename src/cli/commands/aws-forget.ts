/** `tranship aws forget`: removes what a finished job has left on AWS. */

import type { ForgetReport } from "../../ports/deployment.ts";
import type { Command } from "../command.ts";
import { CONFIG_OPTION, givenConfig, withService } from "../config-option.ts";
import { APPLY_OPTION, withDeployment } from "../deployment-options.ts";
import { EXIT } from "../exit-code.ts";
import { counted } from "../rendering/human-units.ts";
import { printable } from "../rendering/terminal-text.ts";

export const awsForgetCommand: Command = {
  name: "aws forget",
  summary: "remove manifests, reports and records of a finished job",
  operands: ["ID"],
  options: [CONFIG_OPTION, APPLY_OPTION],
  details: [
    "Lists what is kept under manifests.prefix and the job's id, and the records of its objects, for which it reads the",
    "whole table. With --apply removes them. Objects, rows and the ledger stay as they are.",
  ],
  async run(given, context) {
    const [id = ""] = given.operands;
    const signal = context.stopSignal();
    const config = givenConfig(given, context);
    const kept = await withService(config, context, { works: false }, (service) => service.keptOnAws(id));
    const report = await withDeployment(given, context, kept.store, (deployment) =>
      deployment.forget({ id, tokens: kept.tokens }, { apply: given.has("apply"), signal }),
    );
    context.output.out(given.json ? `${JSON.stringify(report)}\n` : forgetText(report));
    return EXIT.completed;
  },
};

function forgetText({ bucket, keys, records, removed }: ForgetReport): string {
  const objects = counted(keys.length, "object");
  const inTable = records === null ? "there is no table" : `${counted(records, "record")} in the table`;
  const what = `${objects} in ${bucket}, ${inTable}`;
  const last = removed ? `removed: ${what}` : `${what}; nothing was removed: give --apply`;
  return `${[...keys.map((key) => `  ${printable(key)}`), last].join("\n")}\n`;
}
