/** `tranship demo`: a whole relocation on an embedded S3 server and SQLite, and an independent check of its result. */

import type { DemoResult } from "../../demo/demo.ts";
import { summaryOf } from "../../jobs/view/job-view.ts";
import type { Command } from "../command.ts";
import type { CommandArguments } from "../command-arguments.ts";
import { EXIT } from "../exit-code.ts";
import { startProgressDisplay } from "../rendering/progress-display.ts";
import { UsageError } from "../usage-error.ts";

const USUAL_OBJECTS = 20_000;
const MOST_OBJECTS = 1_000_000;

export const demoCommand: Command = {
  name: "demo",
  summary: "a whole relocation on embedded parts, checked at the end",
  operands: [],
  options: [
    { name: "objects", value: "N", description: "how many objects to move, 1 to 1000000 (default 20000)" },
    { name: "keep", value: null, description: "keep the directory with database, ledger and configuration" },
  ],
  details: [
    "Starts an S3 server in this process and a SQLite database, moves the objects through the real service and",
    "its API, and then compares every object and every row. Needs no network. Exit code 0 only if all is right.",
  ],
  async run(given, context) {
    const objects = objectsOf(given);
    const { output, environment, clock } = context;
    const tell = (line: string) => (given.json ? output.err(`${line}\n`) : output.out(`${line}\n`));
    const display = startProgressDisplay({ output, environment, json: given.json, now: () => clock.now() });
    const signal = context.stopSignal();
    let result: DemoResult;
    try {
      result = await context.runDemo({
        objects,
        keep: given.has("keep"),
        signal,
        tell,
        onProgress: (view) => display.update(view),
        onMoved: () => display.stop(),
      });
    } catch (error) {
      if (!signal.aborted) throw error;
      output.err("tranship: the demo was stopped\n");
      return EXIT.failed;
    } finally {
      display.stop();
    }
    const { view, check } = result;
    if (given.json) output.out(`${JSON.stringify({ ...summaryOf(view), check })}\n`);
    return check.ok ? EXIT.completed : EXIT.failed;
  },
};

function objectsOf(given: CommandArguments): number {
  const text = given.value("objects");
  if (text === undefined) return USUAL_OBJECTS;
  const objects = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (objects < 1 || objects > MOST_OBJECTS) {
    throw new UsageError(
      `--objects needs a whole number from 1 to ${MOST_OBJECTS}, not ${JSON.stringify(text)}`,
      "demo",
    );
  }
  return objects;
}
