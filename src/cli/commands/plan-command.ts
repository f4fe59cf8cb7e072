/** `tranship plan`: the preflight report, made in this process without a service. */

import type { Command, CommandContext } from "../command.ts";
import { CONFIG_OPTION, givenConfig, withService } from "../config-option.ts";
import { EXIT } from "../exit-code.ts";
import { readJobFile } from "../read-job-file.ts";
import { humanCount } from "../rendering/human-units.ts";
import { reportText } from "../rendering/report-text.ts";

const COUNT_EVERY_MS = 200;

export const planCommand: Command = {
  name: "plan",
  summary: "preflight: what a job would do, without doing it",
  operands: ["JOB.json"],
  options: [
    CONFIG_OPTION,
    {
      name: "canary",
      value: null,
      description: "also write, copy and delete one small object, to prove the rights",
    },
  ],
  details: [
    "Counts objects, bytes, rows, requests, cost and time, and looks for problems. Exit code 0 when the job may",
    "start, 2 when there are errors.",
  ],
  async run(given, context) {
    const [file = ""] = given.operands;
    const input = await readJobFile(file, context);
    const config = givenConfig(given, context);
    const signal = context.stopSignal();
    const counter = startCounter(given.json, context);
    const report = await withService(config, context, { works: false }, ({ jobs }) =>
      jobs.preflight(input, { canary: given.has("canary"), signal, onProgress: counter.update }),
    ).finally(counter.stop);
    context.output.out(given.json ? `${JSON.stringify(report)}\n` : reportText(report));
    return report.ok ? EXIT.completed : EXIT.badInput;
  },
};

/** Shows the count on a terminal, since ten million objects take minutes. */
function startCounter(json: boolean, { output, clock }: CommandContext) {
  let drawnAt: number | null = null;
  const shows = output.isTerminal && !json;
  return {
    update: (objects: number) => {
      const now = clock.now();
      if (!shows || (drawnAt !== null && now - drawnAt < COUNT_EVERY_MS)) return;
      drawnAt = now;
      output.err(`\r\x1b[2Kcounted ${humanCount(objects)} objects so far`);
    },
    stop: () => {
      if (drawnAt !== null) output.err("\r\x1b[2K");
    },
  };
}
