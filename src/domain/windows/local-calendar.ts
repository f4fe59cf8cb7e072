/** What clocks on the wall show: the one question the rules ask about time zones. */

/** A stretch of time over which a zone's clocks run evenly: neither put forward nor back. */
export interface UtcOffset {
  /** How far clocks are ahead of UTC, milliseconds; negative west of Greenwich. */
  readonly offsetMs: number;
  /** Clocks run evenly at least until this instant, exclusive; epoch milliseconds, always after the one asked about. */
  readonly until: number;
}

/** Answers from a kept time zone database; the rules do no zone arithmetic of their own. */
export interface LocalCalendar {
  /**
   * How clocks run in the IANA zone `timezone` from the instant `at` (epoch milliseconds) on. Throws RangeError for a
   * zone it does not know; a job's zone was checked when the job came in.
   */
  utcOffset(timezone: string, at: number): UtcOffset;
}
