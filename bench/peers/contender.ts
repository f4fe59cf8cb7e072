/** What a program must be for the benchmark to run it: a name and a command that moves the source objects. */

import type { MeasuredCommand } from "./run-measured.ts";

/** Where a contender works, and how. */
export interface Race {
  readonly storeUrl: string;
  readonly concurrency: number;
  readonly objects: number;
  /** An empty directory, the program's home. */
  readonly directory: string;
}

export interface Contender {
  /** As in the tables, for example `rclone`. */
  readonly name: string;
  /**
   * The share of a measure's objects that it moves: slow ones move fewer, and their rate is taken for the rest,
   * which favours nobody since their cost of an object does not depend on the number.
   */
  readonly share: number;
  /** False for those that do one request at a time whatever is asked of them. */
  readonly concurrent: boolean;
  /** Makes what must be there before the start (files, rows) and gives the command. */
  prepare(race: Race): Promise<MeasuredCommand>;
  /** Looks after the end whether everything that only this contender does was done; throws when it was not. */
  check?(race: Race): Promise<void>;
}
