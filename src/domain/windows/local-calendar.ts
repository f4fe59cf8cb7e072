/** Local time: the UTC offsets of time zones, as the window rules need them. */

/** A UTC offset, and how long it is known to apply. */
export interface UtcOffset {
  /** Local time minus UTC, milliseconds; negative west of Greenwich. */
  readonly offsetMs: number;
  /** The offset applies at least until this instant, exclusive; epoch milliseconds, always after the queried one. */
  readonly until: number;
}

/** Access to a maintained time zone database; the rules have no zone arithmetic of their own. */
export interface LocalCalendar {
  /**
   * The UTC offset of the IANA zone `timezone` from the instant `at` (epoch milliseconds) on. Throws RangeError for an
   * unknown zone; a job's zone is validated when it is submitted.
   */
  utcOffset(timezone: string, at: number): UtcOffset;
}
