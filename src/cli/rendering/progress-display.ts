/** Shows progress while a command works: a bar that is redrawn on a terminal, a line every 10 s elsewhere. */

import type { Environment } from "../../config.ts";
import type { JobView } from "../../jobs/view/job-view.ts";
import type { Output } from "../output.ts";
import { type Paint, progressLine, renderProgress } from "./progress-bar.ts";

const REDRAW_MS = 200;
const LINE_MS = 10_000;
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const CLEAR_LINE = "\x1b[2K";

/** A display that may be given views at any rate and limits its redraws. */
export interface ProgressDisplay {
  update(view: JobView): void;
  /** Draws the last view once more and restores the terminal. Idempotent. */
  stop(): void;
}

export interface ProgressDisplayOptions {
  readonly output: Output;
  readonly environment: Environment;
  readonly json: boolean;
  now(): number;
}

/** Chooses the display: none with `--json`, a bar on a terminal, a line every 10 s otherwise. */
export function startProgressDisplay(options: ProgressDisplayOptions): ProgressDisplay {
  const { output, json } = options;
  if (json) return { update: () => {}, stop: () => {} };
  return output.isTerminal ? barDisplay(options) : lineDisplay(options);
}

function barDisplay({ output, environment, now }: ProgressDisplayOptions): ProgressDisplay {
  const paint = paintFor(environment);
  let view: JobView | null = null;
  let hidden = false;
  let forget = () => {};
  const restore = () => {
    if (hidden) output.err(SHOW_CURSOR);
    hidden = false;
  };
  const draw = () => {
    if (view === null) return;
    if (!hidden) {
      forget = output.atExit(restore);
      output.err(HIDE_CURSOR);
      hidden = true;
    }
    // One column stays free, since some terminals wrap a full line; the cursor stays at the start, so that a line
    // of the log overwrites the bar.
    const line = renderProgress(view, output.columns() - 1, now(), paint);
    output.err(`\r${CLEAR_LINE}${line}\r`);
  };
  const timer = setInterval(draw, REDRAW_MS);
  timer.unref();
  let stopped = false;
  return {
    update: (latest) => {
      view = latest;
    },
    stop: () => {
      if (stopped) return;
      stopped = true;
      clearInterval(timer);
      draw();
      if (hidden) output.err("\n");
      restore();
      forget();
    },
  };
}

function lineDisplay({ output, now }: ProgressDisplayOptions): ProgressDisplay {
  let view: JobView | null = null;
  const write = () => {
    if (view !== null) output.err(`${progressLine(view, now())}\n`);
    view = null;
  };
  const timer = setInterval(write, LINE_MS);
  timer.unref();
  return {
    update: (latest) => {
      view = latest;
    },
    stop: () => {
      clearInterval(timer);
      write();
    },
  };
}

/** Green, unless the user asked for no colour (no-color.org: set and not empty) or the terminal has none. */
function paintFor({ NO_COLOR, TERM }: Environment): Paint {
  if ((NO_COLOR ?? "") !== "" || TERM === "dumb") return (text) => text;
  return (text) => (text === "" ? "" : `\x1b[32m${text}\x1b[39m`);
}
