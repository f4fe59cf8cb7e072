/** A job's windows as an observation: which stages may begin requests now, and within which limits. */

import type { JobSpec, Limits, WorkStage } from "../domain/job-spec.ts";
import type { LocalCalendar } from "../domain/windows/local-calendar.ts";
import { OffPeakWindow } from "../domain/windows/off-peak-window.ts";
import { WindowClock } from "../domain/windows/window-clock.ts";
import type { Hold } from "./gate.ts";
import type { Observation } from "./throttler.ts";

/** The part of a job that its windows depend on; may change while it runs. */
export interface WindowSettings {
  readonly spec: Pick<JobSpec, "windows" | "limits">;
  /** Until then the job works outside its windows, by an operator's leave; epoch ms. */
  readonly ignoredUntil: number | null;
}

/** Cheap enough for every request: the answer is cached until it can change. */
export class WindowGate {
  readonly #calendar: LocalCalendar;
  #settings: WindowSettings;
  #clock: WindowClock | null;
  #window: OffPeakWindow | null = null;

  constructor(calendar: LocalCalendar, settings: WindowSettings) {
    this.#calendar = calendar;
    this.#settings = settings;
    this.#clock = this.#clockOf(settings);
  }

  /** Uses other windows, limits or leave from now on. */
  set(settings: WindowSettings): void {
    this.#settings = settings;
    this.#clock = this.#clockOf(settings);
  }

  /** The windows; null for a job that is always open. */
  get window(): OffPeakWindow | null {
    return this.#window;
  }

  /** The limits in force at `at`: a window's own, where it has any. */
  limitsAt(at: number): Limits {
    const { spec } = this.#settings;
    return this.#clock === null ? spec.limits : this.#clock.spanAt(at).limits;
  }

  /** When the windows that bind `stage` close, or change their limits, next after `at`; null: never, or they do not bind it. */
  closesAt(stage: WorkStage, at: number): number | null {
    const { spec, ignoredUntil } = this.#settings;
    if (this.#clock === null || spec.windows === null || !spec.windows.stages.includes(stage)) return null;
    const { isOpen, until } = this.#clock.spanAt(at);
    if (ignoredUntil !== null && at < ignoredUntil) return isOpen ? until : ignoredUntil;
    return isOpen ? until : at;
  }

  /** A hold while the windows that bind `stage` are closed. */
  observe(stage: WorkStage): Observation {
    return (at) => this.#holdAt(stage, at);
  }

  #holdAt(stage: WorkStage, at: number): Hold | null {
    const { spec, ignoredUntil } = this.#settings;
    if (this.#clock === null || spec.windows === null || !spec.windows.stages.includes(stage)) return null;
    if (ignoredUntil !== null && at < ignoredUntil) return null;
    const { isOpen, until } = this.#clock.spanAt(at);
    if (isOpen) return null;
    const detail =
      until === null
        ? "outside its windows, which never open again; PATCH them, or resume with ignoreWindow"
        : `outside its windows (${spec.windows.timezone}); they open again at ${new Date(until).toISOString()}`;
    return { reason: "window", until, detail };
  }

  #clockOf({ spec }: WindowSettings): WindowClock | null {
    this.#window =
      spec.windows === null ? null : new OffPeakWindow(spec.windows, spec.limits, this.#calendar);
    return this.#window === null ? null : new WindowClock(this.#window);
  }
}
