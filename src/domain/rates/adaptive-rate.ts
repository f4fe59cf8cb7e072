/** How the write rate that a bucket sustains is found and kept, as arithmetic; reasons are in docs/decisions/0009-adaptive-rate.md. */

/** Initial writes a second; below what S3 accepts for a partitioned prefix (3,500 a second). */
const FIRST_PER_SECOND = 2000;
/** Before the first rejection each accepted unit adds this many a second: the rate doubles in a tenth of a second. */
const RAMP = 7;
/** A rejection lowers the rate by this fraction below the level that is known to be accepted. */
const DROP = 0.025;
/** Seconds until the level is reached again. */
const RETURN_S = 2;
/** ln(rate ÷ level) is this times the third power of the seconds before or after the level: slow near it, fast far above. */
const CURVE = DROP / RETURN_S ** 3;
/** The rate grows by this fraction of itself a second at most. */
const FASTEST = 0.5;
const FASTEST_FROM_S = Math.sqrt(FASTEST / (3 * CURVE));
/** Near a level below this the curve is followed more slowly, so that there are some 150 units between two rejections. */
const LOW_LEVEL = 40;
/** Lower bound of that slowing factor: a level that has risen must be found again. */
const SLOWEST = 0.1;
const NEAR_S = 3;
/** Pause of all writes after a rejection: the store recovers a burst allowance, so that a few requests at once are accepted. */
const PAUSE_MS = 50;
/** An interval between two rejections that is long enough to derive the level from what was accepted in it. */
const CONCLUSIVE_MS = 2000;
/** Up to this many rejections after shorter intervals only lower the rate a little; then the level is measured. */
const TOLERATED_REJECTIONS = 5;
/** The level is measured over at least this time, and this many accepted requests, while the store rejects others. */
const MEASURE_MS = 300;
const MEASURE_ACCEPTED = 10;
/** Outcomes by which the rate of a measurement is judged, and their time span: the rejections of one stall arrive together. */
const JUDGED_OUTCOMES = 20;
const JUDGED_MS = 60;
/** With fewer outcomes it is judged after this time. */
const JUDGED_ANYWAY_MS = 150;
/** A bulk deletion distorts so short a measurement, and its rate is never far above the level: the result is at least this part of it. */
const MEASURED_LEAST = 0.9;
/** With a smaller fraction accepted than this the rate is lowered during a measurement. */
const MOSTLY_ACCEPTED = 0.75;
/** A measurement is less exact than a conclusive interval: after it the curve is followed this many times as fast. */
const UNPROVEN = 2;
/** Where on the curve, in seconds, to go on after a measurement whose rejections ended by themselves: the level may be higher. */
const UNSURE_S = 1.5;
const LEAST_PER_SECOND = 1;

/** Requests answered since the rate was last lowered; a rejected bulk deletion counts as one, or it would outweigh all others. */
interface Outcomes {
  accepted: number;
  rejected: number;
  /** When the first of them was answered, ms. */
  firstAt: number | null;
}

/** A measurement of the level: a store that rejects some requests accepts just as many as the level. */
interface Measurement {
  startedAt: number;
  /** How long writes had to wait for the rate, ms. */
  busyMs: number;
  units: number;
  accepted: number;
  lastRejectedAt: number;
  /** Of requests that were sent after the rate was last lowered. */
  sinceCut: Outcomes;
  /** The rate at which all requests began to be rejected; null while some are accepted. */
  rateBeforeOutage: number | null;
}

/** A rate that follows the outcomes of requests. Times are milliseconds of a clock that is never set back. */
export class AdaptiveRate {
  #rate = FIRST_PER_SECOND;
  /** Units a second that the store is known to accept; null before its first rejection. */
  #level: number | null = null;
  /** Position on the curve: seconds of demand since the level was reached, negative before. */
  #age = 0;
  #curveSpeed = 1;
  /** Consecutive rejections after inconclusive intervals. */
  #early = 0;
  #measurement: Measurement | null = null;
  #cutAt = Number.NEGATIVE_INFINITY;
  #tickedAt: number | null = null;
  /** Since the last rejection: when that was, for how many ms writes waited for the rate, and units it allowed in these. */
  #interval = { startedAt: 0, busyMs: 0, allowed: 0 };

  /** Units a second now. */
  get perSecond(): number {
    return this.#rate;
  }

  /** Whether the store has ever rejected a request. */
  get hasBeenRejected(): boolean {
    return this.#level !== null || this.#measurement !== null;
  }

  /** Time has passed. `isInDemand`: requests had to wait for the rate meanwhile; only then may it rise. */
  tick(now: number, isInDemand: boolean): void {
    const passedMs = Math.min(1000, Math.max(0, now - (this.#tickedAt ?? now)));
    this.#tickedAt = now;
    if (this.#measurement !== null) {
      if (isInDemand) this.#measurement.busyMs += passedMs;
      this.#finish(this.#measurement, now);
      return;
    }
    if (this.#level === null || !isInDemand) return;
    this.#interval.busyMs += passedMs;
    this.#interval.allowed += (passedMs * this.#rate) / 1000;
    // A few units a second give little information in a second.
    const slowing = this.#age < NEAR_S ? Math.min(1, Math.max(SLOWEST, this.#level / LOW_LEVEL)) : 1;
    this.#age += (passedMs * this.#curveSpeed * slowing) / 1000;
    this.#rate = Math.max(LEAST_PER_SECOND, this.#level * Math.exp(exponentAt(this.#age)));
  }

  /** `units` that were sent at `sentAt` were accepted. */
  accepted(units: number, sentAt: number, now: number, isInDemand: boolean): void {
    const measurement = this.#measurement;
    if (measurement === null) {
      if (this.#level === null && isInDemand) this.#rate += RAMP * units;
      return;
    }
    if (this.#endsOutage(measurement, now)) return;
    measurement.units += units;
    measurement.accepted += 1;
    if (sentAt >= this.#cutAt) {
      measurement.sinceCut.accepted += 1;
      measurement.sinceCut.firstAt ??= now;
    }
    this.#finish(measurement, now);
  }

  /** A request that was sent at `sentAt` was rejected; gives the milliseconds in which no more should be sent. */
  rejected(sentAt: number, now: number): number {
    const measurement = this.#measurement;
    if (measurement !== null) {
      measurement.lastRejectedAt = now;
      if (sentAt >= this.#cutAt) this.#judge(measurement, now);
      return 0;
    }
    // Sent before the rate was lowered: the rate was already lowered for it.
    if (sentAt < this.#cutAt) return 0;
    const { startedAt, busyMs, allowed } = this.#interval;
    const isConclusive = busyMs >= CONCLUSIVE_MS && busyMs >= 0.8 * (now - startedAt);
    this.#early = isConclusive ? 0 : this.#early + 1;
    if (this.#level === null || this.#early > TOLERATED_REJECTIONS) {
      this.#measure(now);
      return 0;
    }
    // The store's burst allowance is used up at both ends, so what was accepted in between is the level.
    const mean = isConclusive ? (allowed * 1000) / busyMs : this.#rate * 0.98;
    this.#settle(Math.min(this.#rate, Math.max(mean, this.#rate * 0.88)), -RETURN_S, now, this.#curveSpeed);
    if (isConclusive) this.#curveSpeed = 1;
    return PAUSE_MS;
  }

  /** Begins a measurement. At the first rejection the rate may be twice the level or more, later hardly. */
  #measure(now: number): void {
    if (this.#level === null) this.#rate = Math.max(LEAST_PER_SECOND, this.#rate * 0.6);
    this.#cutAt = now;
    this.#early = 0;
    this.#measurement = newMeasurement(now);
  }

  /** Lowers the rate during a measurement when too much is rejected, but not below the level that is measured. */
  #judge(measurement: Measurement, now: number): void {
    const outcomes = measurement.sinceCut;
    outcomes.rejected += 1;
    outcomes.firstAt ??= now;
    const all = outcomes.accepted + outcomes.rejected;
    if (now - outcomes.firstAt < (all < JUDGED_OUTCOMES ? JUDGED_ANYWAY_MS : JUDGED_MS)) return;
    const part = outcomes.accepted / all;
    if (part < MOSTLY_ACCEPTED) {
      if (part === 0) measurement.rateBeforeOutage ??= this.#rate;
      this.#rate = Math.max(LEAST_PER_SECOND, this.#rate * Math.max(0.5, 1.1 * part));
      this.#cutAt = now;
    }
    measurement.sinceCut = newOutcomes();
  }

  /** While every request is rejected nothing is measured: afterwards the rate goes on at half of what it was before. */
  #endsOutage(measurement: Measurement, now: number): boolean {
    const before = measurement.rateBeforeOutage;
    measurement.rateBeforeOutage = null;
    if (before === null || this.#rate >= before / 2) return false;
    this.#rate = before / 2;
    this.#cutAt = now;
    this.#measurement = newMeasurement(now);
    return true;
  }

  #finish(measurement: Measurement, now: number): void {
    const passedMs = now - measurement.startedAt;
    if (passedMs < MEASURE_MS || measurement.accepted < MEASURE_ACCEPTED) return;
    this.#measurement = null;
    if (now - measurement.lastRejectedAt > MEASURE_MS / 2) {
      this.#settle(this.#rate, UNSURE_S, now);
      return;
    }
    // With too little demand (many requests pause after a rejection) what was accepted does not show the level.
    const isBusy = measurement.busyMs >= 0.7 * passedMs;
    const measured = isBusy ? (measurement.units * 1000) / passedMs : 0.95 * this.#rate;
    this.#settle(Math.min(this.#rate, Math.max(measured, this.#rate * MEASURED_LEAST)), -RETURN_S, now);
  }

  #settle(level: number, age: number, now: number, curveSpeed = UNPROVEN): void {
    this.#level = Math.max(LEAST_PER_SECOND, level);
    this.#age = age;
    this.#curveSpeed = curveSpeed;
    this.#rate = Math.max(LEAST_PER_SECOND, this.#level * Math.exp(exponentAt(age)));
    this.#cutAt = now;
    this.#interval = { startedAt: now, busyMs: 0, allowed: 0 };
  }
}

/** ln(rate ÷ level) at `age` seconds: the cubic curve of TCP CUBIC (RFC 9438), of ratios. */
function exponentAt(age: number): number {
  const curved = Math.min(age, FASTEST_FROM_S);
  return CURVE * curved ** 3 + FASTEST * (age - curved);
}

function newOutcomes(): Outcomes {
  return { accepted: 0, rejected: 0, firstAt: null };
}

function newMeasurement(now: number): Measurement {
  return {
    startedAt: now,
    busyMs: 0,
    units: 0,
    accepted: 0,
    lastRejectedAt: now,
    sinceCut: newOutcomes(),
    rateBeforeOutage: null,
  };
}
