/** A part of the benchmark that can be run alone, and what it has to report. */

/** How thorough a run is. */
export interface Effort {
  /** A few objects and one round: to see that it works, not to measure. */
  readonly quick: boolean;
  /** Ten million objects too, which take half an hour. */
  readonly long: boolean;
  /** Whether peers take part. */
  readonly peers: boolean;
  /** Told of what goes on. */
  tell(line: string): void;
}

/** A budget of the project and what was measured. */
export interface BudgetLine {
  readonly what: string;
  readonly budget: string;
  readonly measured: string;
  readonly met: boolean;
}

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** As printed beside the bar. */
  readonly text: string;
  /** Tranship's bars have a colour of their own. */
  readonly ours: boolean;
}

export interface Chart {
  readonly title: string;
  readonly bars: readonly Bar[];
}

export interface SectionReport {
  readonly title: string;
  /** What was done, in sentences. */
  readonly text: readonly string[];
  readonly tables: readonly Table[];
  readonly charts: readonly Chart[];
  readonly budgets: readonly BudgetLine[];
  /** What Tranship does worse than a peer, or than is asked of larger jobs, in sentences. */
  readonly worse: readonly string[];
}

export interface Section {
  /** For `--only`. */
  readonly name: string;
  measure(effort: Effort): Promise<SectionReport>;
}
