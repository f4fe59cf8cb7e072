/** `UsageError`: an invalid command line; its message says what is valid. */

/** Thrown for unknown commands and options, missing operands and values out of range; the exit code is 2. */
export class UsageError extends Error {
  /** The command whose help explains more; null for the general help. */
  readonly command: string | null;

  constructor(message: string, command: string | null = null) {
    super(message);
    this.name = "UsageError";
    this.command = command;
  }
}
