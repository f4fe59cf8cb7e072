/** A part of the benchmark that can be run alone, and what it has to report. */

/** How thorough a run is. */
export interface Effort {
  /** A few objects and one round: to see that it works, not to measure. */
  readonly quick: boolean;
  /** Ten million objects too, which take half an hour. */
  readonly long: boolean;
  /** Whether peers take part. */
  readonly peers: boolean;
  /** The folder of the compiled program (`dist`). */
  readonly dist: string;
  /** The same of another build, measured in turn with this one where contenders run in turn; null: there is none. */
  readonly against: string | null;
  /** Told of what goes on. */
  tell(line: string): void;
}

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What `budgets.ts` bounds, by its names there; null: not to be measured in this run (no peers, too few objects). */
export type Figures = Readonly<Record<string, number | null>>;

export interface SectionReport {
  readonly title: string;
  /** What was done, in sentences. */
  readonly text: string;
  readonly table: Table;
  readonly figures: Figures;
}

export interface Section {
  /** For `--only`. */
  readonly name: string;
  measure(effort: Effort): Promise<SectionReport>;
}
