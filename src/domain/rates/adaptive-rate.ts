/** The law by which the write rate of a bucket is found and kept, as arithmetic; docs/decisions/0009-adaptive-rate.md has the why. */

/** Where a bucket nobody has written to yet begins; below what S3 grants a partitioned prefix (3,500 writes a second). */
const FIRST_PER_SECOND = 2000;
/** Before the first objection each unit that went adds this many a second: the rate doubles in a tenth of a second. */
const RAMP = 7;
/** An objection lowers the rate to this share below the level that is known to be granted. */
const BELOW = 0.025;
/** Seconds until the level is reached again. */
const RETURN_S = 2;
/** ln(rate ÷ level) is this times the third power of the seconds before or after the level: slow near it, fast far above. */
const CURVE = BELOW / RETURN_S ** 3;
/** Never faster than this share of the rate a second. */
const FASTEST = 0.5;
const FASTEST_FROM_S = Math.sqrt(FASTEST / (3 * CURVE));
/** Near the level time passes more slowly where it is low, so that there are some 150 units between two objections. */
const CALM_BELOW = 40;
/** Never more slowly than by this factor: what has risen again must be found. */
const CALMEST = 0.1;
const NEAR_S = 3;
/** What an objection makes everybody wait, so that the store has a reserve again and a few requests at once do no harm. */
const PAUSE_MS = 50;
/** A stretch between two objections that is long enough to tell the level from what was granted in it. */
const TELLING_MS = 2000;
/** So many objections after stretches too short to tell anything only lower the rate a little; then it is measured. */
const PASSING_OBJECTIONS = 5;
/** The level is measured over so long a time, and so many grants, while the store objects. */
const MEASURE_MS = 300;
const MEASURE_GRANTS = 10;
/** Outcomes that judge the rate of a measurement, and over how long: the rejections of one stall come all together. */
const JUDGED_OUTCOMES = 20;
const JUDGED_MS = 60;
/** With fewer outcomes it is judged after so long. */
const JUDGED_ANYWAY_MS = 150;
/** A bulk deletion in so short a time makes a measurement err: the rate it is made at is never far above the level. */
const MEASURED_LEAST = 0.9;
/** With a smaller share granted than this the rate is lowered during a measurement. */
const MOSTLY_GRANTED = 0.75;
/** A measurement is shorter and less exact than a telling stretch: after it time counts so many times on the curve. */
const UNPROVEN = 2;
/** After a measurement whose rejections ended by themselves the level may be higher: it is searched faster. */
const UNSURE_S = 1.5;
const LEAST_PER_SECOND = 1;

/** Requests that came back since the rate was last lowered; a rejected bulk is one, or it would outweigh all others. */
interface Outcomes {
  granted: number;
  rejected: number;
  /** When the first of them came, ms. */
  firstAt: number | null;
}

/** The level is being measured: the store grants just that, as long as it objects. */
interface Measurement {
  startedAt: number;
  /** How long the rate was asked for in full. */
  busyMs: number;
  units: number;
  grants: number;
  lastRejectedAt: number;
  /** Of requests that were sent after the rate was last lowered. */
  sinceCut: Outcomes;
  /** The rate before nothing at all was granted any more; null while something is. */
  beforeDrought: number | null;
}

/** An adaptive rate: tell it what came back, ask it for the rate. Times are epoch milliseconds. */
export class AdaptiveRate {
  #rate = FIRST_PER_SECOND;
  /** What the store is known to grant; null before its first objection. */
  #level: number | null = null;
  /** Seconds of demand since the level was reached; negative before. */
  #age = 0;
  #haste = 1;
  /** Objections in a row that came too soon to tell anything. */
  #early = 0;
  #measurement: Measurement | null = null;
  #cutAt = Number.NEGATIVE_INFINITY;
  #tickedAt: number | null = null;
  /** Since the last objection: when that was, for how many ms the rate was asked for in full, and what it allowed then. */
  #stretch = { startedAt: 0, busyMs: 0, allowed: 0 };

  /** Units a second now. */
  get perSecond(): number {
    return this.#rate;
  }

  /** Whether the store has ever objected. */
  get hasObjected(): boolean {
    return this.#level !== null || this.#measurement !== null;
  }

  /** Time has passed, and somebody had to wait for the rate meanwhile (`wanted`): only then may it rise. */
  tick(now: number, wanted: boolean): void {
    const passedMs = Math.min(1000, Math.max(0, now - (this.#tickedAt ?? now)));
    this.#tickedAt = now;
    if (this.#measurement !== null) {
      if (wanted) this.#measurement.busyMs += passedMs;
      this.#finish(this.#measurement, now);
      return;
    }
    if (this.#level === null || !wanted) return;
    this.#stretch.busyMs += passedMs;
    this.#stretch.allowed += (passedMs * this.#rate) / 1000;
    // Few units a second tell little in a second.
    const calm = this.#age < NEAR_S ? Math.min(1, Math.max(CALMEST, this.#level / CALM_BELOW)) : 1;
    this.#age += (passedMs * this.#haste * calm) / 1000;
    this.#rate = Math.max(LEAST_PER_SECOND, this.#level * Math.exp(exponentAt(this.#age)));
  }

  /** `units` that were sent at `sentAt` were granted. */
  granted(units: number, sentAt: number, now: number, wanted: boolean): void {
    const measurement = this.#measurement;
    if (measurement === null) {
      if (this.#level === null && wanted) this.#rate += RAMP * units;
      return;
    }
    if (this.#endsDrought(measurement, now)) return;
    measurement.units += units;
    measurement.grants += 1;
    if (sentAt >= this.#cutAt) {
      measurement.sinceCut.granted += 1;
      measurement.sinceCut.firstAt ??= now;
    }
    this.#finish(measurement, now);
  }

  /** What was sent at `sentAt` was rejected; gives the milliseconds nothing more should go. */
  rejected(sentAt: number, now: number): number {
    const measurement = this.#measurement;
    if (measurement !== null) {
      measurement.lastRejectedAt = now;
      if (sentAt >= this.#cutAt) this.#judge(measurement, now);
      return 0;
    }
    // Sent before the rate was lowered: an answer to what has been dealt with.
    if (sentAt < this.#cutAt) return 0;
    const { startedAt, busyMs, allowed } = this.#stretch;
    const isTelling = busyMs >= TELLING_MS && busyMs >= 0.8 * (now - startedAt);
    this.#early = isTelling ? 0 : this.#early + 1;
    if (this.#level === null || this.#early > PASSING_OBJECTIONS) {
      this.#measure(now);
      return 0;
    }
    // Empty at both ends, the store's reserve has given nothing: what went in between is what it grants.
    const mean = isTelling ? (allowed * 1000) / busyMs : this.#rate * 0.98;
    this.#settle(Math.min(this.#rate, Math.max(mean, this.#rate * 0.88)), -RETURN_S, now, this.#haste);
    if (isTelling) this.#haste = 1;
    return PAUSE_MS;
  }

  /** Begins to measure. At first contact the rate may be twice the level or more, later hardly. */
  #measure(now: number): void {
    if (this.#level === null) this.#rate = Math.max(LEAST_PER_SECOND, this.#rate * 0.6);
    this.#cutAt = now;
    this.#early = 0;
    this.#measurement = newMeasurement(now);
  }

  /** Lowers the rate during a measurement when far too much is rejected, yet not below the level that is measured. */
  #judge(measurement: Measurement, now: number): void {
    const outcomes = measurement.sinceCut;
    outcomes.rejected += 1;
    outcomes.firstAt ??= now;
    const all = outcomes.granted + outcomes.rejected;
    if (now - outcomes.firstAt < (all < JUDGED_OUTCOMES ? JUDGED_ANYWAY_MS : JUDGED_MS)) return;
    const share = outcomes.granted / all;
    if (share < MOSTLY_GRANTED) {
      if (share === 0) measurement.beforeDrought ??= this.#rate;
      this.#rate = Math.max(LEAST_PER_SECOND, this.#rate * Math.max(0.5, 1.1 * share));
      this.#cutAt = now;
    }
    measurement.sinceCut = newOutcomes();
  }

  /** While nothing is granted nothing is learned: afterwards it goes on near where it was before. */
  #endsDrought(measurement: Measurement, now: number): boolean {
    const before = measurement.beforeDrought;
    measurement.beforeDrought = null;
    if (before === null || this.#rate >= before / 2) return false;
    this.#rate = before / 2;
    this.#cutAt = now;
    this.#measurement = newMeasurement(now);
    return true;
  }

  #finish(measurement: Measurement, now: number): void {
    const passedMs = now - measurement.startedAt;
    if (passedMs < MEASURE_MS || measurement.grants < MEASURE_GRANTS) return;
    this.#measurement = null;
    if (now - measurement.lastRejectedAt > MEASURE_MS / 2) {
      this.#settle(this.#rate, UNSURE_S, now);
      return;
    }
    // With too few who ask (many sit out their rejection) what was granted is no measure.
    const isBusy = measurement.busyMs >= 0.7 * passedMs;
    const measured = isBusy ? (measurement.units * 1000) / passedMs : 0.95 * this.#rate;
    this.#settle(Math.min(this.#rate, Math.max(measured, this.#rate * MEASURED_LEAST)), -RETURN_S, now);
  }

  #settle(level: number, age: number, now: number, haste = UNPROVEN): void {
    this.#level = Math.max(LEAST_PER_SECOND, level);
    this.#age = age;
    this.#haste = haste;
    this.#rate = Math.max(LEAST_PER_SECOND, this.#level * Math.exp(exponentAt(age)));
    this.#cutAt = now;
    this.#stretch = { startedAt: now, busyMs: 0, allowed: 0 };
  }
}

/** ln(rate ÷ level) after `age` seconds: the cubic curve of TCP CUBIC (RFC 9438), on a scale of ratios. */
function exponentAt(age: number): number {
  const curved = Math.min(age, FASTEST_FROM_S);
  return CURVE * curved ** 3 + FASTEST * (age - curved);
}

function newOutcomes(): Outcomes {
  return { granted: 0, rejected: 0, firstAt: null };
}

function newMeasurement(now: number): Measurement {
  return {
    startedAt: now,
    busyMs: 0,
    units: 0,
    grants: 0,
    lastRejectedAt: now,
    sinceCut: newOutcomes(),
    beforeDrought: null,
  };
}
