/** Which engine to take, and why. Pure. */

import type { EngineName } from "../job-spec.ts";

export interface EngineCandidate {
  readonly name: EngineName;
  readonly seconds: number;
  /** Null where prices are not known. */
  readonly dollars: number | null;
  /** Why it cannot do the job; null: it can. */
  readonly objection: string | null;
}

/** An engine that takes up to so much longer than the fastest is taken where it costs less. */
const TOLERATED = 1.5;

/** Of the engines that can do the job and are not much slower than the fastest, the cheapest; the earlier one of equals. */
export function chosenEngine<Candidate extends EngineCandidate>(candidates: readonly Candidate[]): Candidate {
  const able = candidates.filter(({ objection }) => objection === null);
  const fastest = Math.min(...able.map(({ seconds }) => seconds));
  const near = able.filter(({ seconds }) => seconds <= fastest * TOLERATED);
  return near.reduce((best, candidate) =>
    (candidate.dollars ?? 0) < (best.dollars ?? 0) ? candidate : best,
  );
}

/** Why `candidate` is or is not the `chosen` one of `all`, in one sentence. */
export function reasonFor(
  candidate: EngineCandidate,
  chosen: EngineCandidate,
  all: readonly EngineCandidate[],
): string {
  if (candidate.objection !== null) return `cannot do this job: ${candidate.objection}`;
  if (candidate.name !== chosen.name) return reasonAgainst(candidate, chosen);
  const others = all.filter(({ name }) => name !== chosen.name);
  if (others.length === 0) return "the only engine for a store that is not AWS";
  if (others.every(({ objection }) => objection !== null)) return "the only engine that can do this job";
  return others.every(
    ({ seconds, dollars }) => chosen.seconds <= seconds && (chosen.dollars ?? 0) <= (dollars ?? 0),
  )
    ? "none is faster, and none costs less"
    : "costs the least of the engines that are about as fast";
}

function reasonAgainst(candidate: EngineCandidate, chosen: EngineCandidate): string {
  const dollars = (candidate.dollars ?? 0) - (chosen.dollars ?? 0);
  const seconds = candidate.seconds - chosen.seconds;
  const cost =
    dollars === 0
      ? "costs the same"
      : `costs $${Math.abs(dollars).toFixed(2)} ${dollars > 0 ? "more" : "less"}`;
  const time =
    seconds === 0 ? "is no faster" : `takes ${Math.abs(seconds)} s ${seconds > 0 ? "longer" : "less"}`;
  const gain = candidate.name === "service" ? "" : "; take it to copy while no machine of yours runs";
  return `${cost} and ${time} than ${chosen.name}${gain}`;
}
