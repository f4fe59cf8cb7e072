/** `Output`: a command's answer goes to stdout, all else to stderr; injected, so that tests can read it. */

export interface Output {
  /** The answer, on stdout. */
  out(text: string): void;
  /** Progress, notes and errors. */
  err(text: string): void;
  /** Whether stderr is a terminal that can redraw a line. */
  readonly isTerminal: boolean;
  /** Width of that terminal now, in columns. */
  columns(): number;
  /** Calls `restore` when the process exits for any reason; gives a function that cancels this. */
  atExit(restore: () => void): () => void;
}

/** The part of `process` that an output uses. */
export interface OutputProcess {
  readonly stdout: Pick<NodeJS.WriteStream, "write" | "on">;
  readonly stderr: Pick<NodeJS.WriteStream, "write" | "on" | "isTTY" | "columns">;
  on(event: "exit", listener: () => void): unknown;
  off(event: "exit", listener: () => void): unknown;
}

const USUAL_COLUMNS = 80;

/** The output of a process. A closed pipe (`tranship list | head`) is no error. */
export function processOutput(target: OutputProcess): Output {
  const { stdout, stderr } = target;
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    isTerminal: stderr.isTTY === true,
    columns: () => stderr.columns || USUAL_COLUMNS,
    atExit: (restore) => {
      target.on("exit", restore);
      return () => void target.off("exit", restore);
    },
  };
}
