/** `tranship run`: runs one job in the foreground to its end; repeated, it continues where it stopped. */

import type { Config } from "../../config.ts";
import { isFinished } from "../../domain/job-state.ts";
import { type JobView, summaryOf } from "../../jobs/view/job-view.ts";
import type { Command, CommandContext } from "../command.ts";
import { CONFIG_OPTION, givenConfig, withService } from "../config-option.ts";
import { EXIT, type ExitCode, exitCodeOfState } from "../exit-code.ts";
import { readJobFile } from "../read-job-file.ts";
import { startProgressDisplay } from "../rendering/progress-display.ts";
import { summaryText } from "../rendering/summary-text.ts";

export const runCommand: Command = {
  name: "run",
  summary: "work on one job here until it ends, with a progress bar",
  operands: ["JOB.json"],
  options: [CONFIG_OPTION],
  details: [
    "Needs no service. Given again after a crash or Ctrl-C, it goes on where it stopped (the same JOB.json and",
    "configuration). Ctrl-C or SIGTERM stops it gracefully within 10 s with exit code 1, a second one at once.",
    "With --json the last line of stdout is the summary.",
  ],
  async run(given, context) {
    const [file = ""] = given.operands;
    const input = await readJobFile(file, context);
    const config = quietOnTerminal(givenConfig(given, context), given.json, context);
    const signal = context.stopSignal();
    const { output, environment, clock } = context;
    const view = await withService(config, context, { works: true }, async (service) => {
      const display = startProgressDisplay({ output, environment, json: given.json, now: () => clock.now() });
      try {
        return await service.runToEnd(input, {
          actor: "command line",
          signal,
          onProgress: (latest) => display.update(latest),
        });
      } finally {
        display.stop();
      }
    });
    return tellEnd(view, given.json, signal.aborted, context);
  },
};

/** On a terminal only warnings and errors are logged, since lines of the log interrupt the bar. */
function quietOnTerminal(config: Config, json: boolean, { output }: CommandContext): Config {
  return output.isTerminal && !json && config.logLevel === "info" ? { ...config, logLevel: "warn" } : config;
}

function tellEnd(view: JobView, json: boolean, stopped: boolean, { output }: CommandContext): ExitCode {
  if (!isFinished(view.state) && stopped) {
    output.err("tranship: stopped; all progress is saved. Give the same command again to go on.\n");
  } else if (!isFinished(view.state)) {
    output.err(`tranship: the job is ${view.state}. Give the same command again once the reason is gone.\n`);
  }
  output.out(json ? `${JSON.stringify(summaryOf(view))}\n` : summaryText(view));
  return isFinished(view.state) ? exitCodeOfState(view.state) : EXIT.failed;
}
