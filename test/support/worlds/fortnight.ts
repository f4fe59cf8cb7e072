/** Two jobs over fourteen days and two changes of clocks, with all that may happen to them; see test/soak/fortnight.test.ts. */

import type { Windows } from "../../../src/domain/job-spec.ts";
import type { JobView } from "../../../src/jobs/view/job-view.ts";
import { at } from "../clocks/wall-clock.ts";
import { Witness } from "../witness.ts";
import type { Estate } from "./simulated-estate.ts";
import { openSimulatedService, type SimulatedService } from "./simulated-service.ts";

const MINUTE = 60_000;
const SAMPLE_EVERY = 10 * MINUTE;
/** What moves nothing for so long must say why. */
const STILL_MS = 5000;
const WORKDAYS = ["mon", "tue", "wed", "thu", "fri"] as const;
const WEEKEND = ["sat", "sun"] as const;
const EVERY_DAY = [...WORKDAYS, ...WEEKEND];
const STAGES = ["copy", "update", "delete"] as const;

const berlin = (time: string) => at("Europe/Berlin", time);

/** One of the jobs, from all sides. */
export interface Move {
  readonly estate: Estate;
  readonly witness: Witness;
  readonly id: string;
  /** Moments at which nothing moved and no reason was named. */
  readonly silent: string[];
  /** What it was seen to wait for. */
  readonly reasons: Set<string>;
  /** When it would be done, as an operator was told. */
  readonly told: { readonly at: number; readonly finishAt: number | null; readonly planDone: boolean }[];
  view: JobView;
}

export interface Fortnight {
  readonly big: Move;
  readonly small: Move;
  /** Of the nights on which the bucket took less than the limit: the share of copies it rejected after five seconds. */
  readonly rejected: readonly number[];
  /** Requests of the big job on each date in Berlin, and its limit on a workday. */
  readonly perNight: ReadonlyMap<string, number>;
  readonly limit: number;
  /** Minutes of a night. */
  readonly minutes: number;
  close(): Promise<void>;
}

const PER_SECOND = 200;

/**
 * Lives through it. The big job (Berlin) works `minutes` a night at 200 requests a second and so has 500,000 objects for
 * every three of them; the small one (New York) has 80,000. Both take the fortnight.
 */
export async function liveThroughFortnight(minutes: number): Promise<Fortnight> {
  const perSecond = PER_SECOND;
  const opensAt = 15;
  /** A third and two thirds into a night. */
  const early = `02:${opensAt + minutes / 3}`;
  const late = `02:${opensAt + (minutes * 2) / 3}`;
  // Twice on the night on which clocks are put back.
  const span = { from: `02:${opensAt}`, to: `02:${opensAt + minutes}` };
  const windows: Windows = {
    timezone: "Europe/Berlin",
    open: [
      { days: WORKDAYS, ...span, limits: null },
      { days: WEEKEND, ...span, limits: { requestsPerSecond: perSecond * 1.5 } },
    ],
    closed: [],
    stages: STAGES,
  };
  const windowsOfSmall: Windows = {
    timezone: "America/New_York",
    open: [{ days: EVERY_DAY, from: "01:20", to: "01:25", limits: null }],
    closed: [],
    stages: STAGES,
  };
  const busy = { from: berlin(`2026-10-22 ${early}`), until: berlin("2026-10-22 03:25") };
  const moves: Move[] = [];
  const service = await openSimulatedService({
    now: berlin("2026-10-19 12:00"),
    threadsRunning: (now) => (now >= busy.from && now < busy.until ? 41 : 3),
    isIdle: (minute) => moves.every(({ witness }) => !witness.mayWork(minute)),
  });
  const { clock } = service;
  const guards = { database: { maxThreadsRunning: 20 } };
  const big = await beginMove(service, {
    ...{
      name: "big",
      size: (500_000 / 3) * minutes,
      batchSize: 1000,
      windows,
      perSecond,
      guards,
    },
    delete: { when: "approved", after: "30s" },
  });
  const small = await beginMove(service, {
    ...{ name: "small", size: 80_000, batchSize: 1000, windows: windowsOfSmall, perSecond: 20, guards },
    delete: { when: "verified", after: "0s" },
  });
  moves.push(big, small);
  small.witness.deletesFrom = 0;
  // What is known of the database is a second old at most.
  for (const { witness } of moves) witness.busy.push({ from: busy.from + 1000, until: busy.until });

  const act = async (...given: Parameters<SimulatedService["jobs"]["act"]>) => {
    await service.jobs.act(...given);
  };
  const amend = async (patch: Partial<{ limits: { requestsPerSecond: number }; windows: Windows }>) => {
    const requestsPerSecond = patch.limits?.requestsPerSecond;
    big.witness.change(
      {
        ...(patch.windows === undefined ? {} : { windows: patch.windows }),
        ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
      },
      clock.now(),
    );
    const request = patch.windows === undefined ? patch : { ...patch, windows: asWritten(patch.windows) };
    await service.jobs.amend(big.id, request, { ifVersions: null, actor: "operator" });
  };
  const rejected: number[] = [];
  const throttledNight = (day: string, writesPerSecond: number): Event[] => {
    let before = { copies: 0, rejected: 0 };
    const count = () => ({ copies: big.witness.counts.copy, rejected: big.estate.rejected });
    return [
      [`${day} 02:00`, async () => big.estate.throttle(writesPerSecond)],
      [
        `${day} 02:15:05`,
        async () => {
          before = count();
        },
      ],
      [
        `${day} 03:00`,
        async () => {
          big.estate.throttle(null);
          const now = count();
          rejected.push((now.rejected - before.rejected) / (now.copies - before.copies));
        },
      ],
    ];
  };
  const perNight = new Map<string, number>();
  let before = 0;
  const night = (date: string): Event => [
    `${date} 06:00`,
    async () => {
      const { list, head, copy, delete: deletions } = big.witness.counts;
      const requests = list + head + copy + deletions;
      perNight.set(date, requests - before);
      before = requests;
    },
  ];
  const events: Event[] = [
    [`2026-10-22 ${late}`, () => lookAtAll(service, moves)],
    ...["2026-10-20", "2026-10-24", "2026-10-25", "2026-10-29", "2026-10-30"].map(night),
    ...throttledNight("2026-10-23", perSecond * 0.6),
    // By day, out of hours; and again at night.
    [
      "2026-10-26 12:00",
      async () => {
        big.witness.leaves.push({ from: clock.now(), until: berlin("2026-10-27 02:15") });
        await act(big.id, "resume", "operator", { ignoreWindow: true });
      },
    ],
    [
      `2026-10-26 12:${String((minutes * 2) / 3).padStart(2, "0")}`,
      async () => {
        const until = berlin(`2026-10-27 ${early}`);
        big.witness.silences.push({ from: clock.now() + 1000, until });
        await act(big.id, "pause", "operator");
      },
    ],
    [`2026-10-27 ${early}`, () => act(big.id, "resume", "operator")],
    [`2026-10-28 ${late}`, () => amend({ limits: { requestsPerSecond: perSecond / 2 } })],
    ["2026-10-29 12:00", () => amend({ limits: { requestsPerSecond: perSecond } })],
    ["2026-10-29 12:30", () => amend({ windows: { ...windows, closed: ["2026-10-30"] } })],
    ...throttledNight("2026-10-31", perSecond * 0.75),
    [
      "2026-10-31 12:00",
      async () => {
        big.witness.deletesFrom = clock.now();
        await act(big.id, "approve", "operator");
      },
    ],
  ];
  await live(service, moves, events, berlin("2026-11-02 12:00"));
  return { big, small, rejected, perNight, limit: perSecond, minutes, close: () => service.close() };
}

/** Local time in Berlin, and what happens then. */
type Event = readonly [string, () => Promise<void>];

async function live(
  service: SimulatedService,
  moves: readonly Move[],
  events: readonly Event[],
  end: number,
): Promise<void> {
  const { clock } = service;
  const look = () => lookAtAll(service, moves);
  const looks: { at: number; does: () => Promise<void> }[] = [];
  for (let time = clock.now(); time <= end; time += SAMPLE_EVERY) looks.push({ at: time + 7000, does: look });
  const agenda = [...looks, ...events.map(([time, does]) => ({ at: instant(time), does }))];
  for (const { at: time, does } of agenda.sort((a, b) => a.at - b.at)) {
    await clock.runUntil(time);
    await does();
  }
}

/** With seconds, where they are given. */
function instant(time: string): number {
  const [date = "", clock = ""] = time.split(" ");
  const [hours, minutes, seconds = "0"] = clock.split(":");
  return berlin(`${date} ${hours}:${minutes}`) + Number(seconds) * 1000;
}

/** As an operator does who asks now and then. */
async function lookAtAll({ jobs, clock }: SimulatedService, moves: readonly Move[]): Promise<void> {
  for (const move of moves) {
    if (move.view.finishedAt !== null) continue;
    move.view = await jobs.get(move.id);
    const { state, waiting, finishedAt } = move.view;
    if (waiting !== null) move.reasons.add(waiting.reason);
    const finish = move.view.finishAt === null ? null : Date.parse(move.view.finishAt);
    move.told.push({ at: clock.now(), finishAt: finish, planDone: move.view.planDone });
    const moves = clock.now() - move.witness.lastAt < STILL_MS;
    if (moves || waiting !== null || state === "paused" || finishedAt !== null) continue;
    move.silent.push(`${new Date(clock.now()).toISOString()} ${state}`);
  }
}

async function beginMove(
  service: SimulatedService,
  job: {
    readonly name: string;
    readonly size: number;
    readonly batchSize: number;
    readonly windows: Windows;
    readonly perSecond: number;
    readonly guards: object;
    readonly delete: object;
  },
): Promise<Move> {
  const { name, windows, batchSize, guards, perSecond: requestsPerSecond } = job;
  const estate = service.world.addEstate(name, job.size);
  const submitted = service.jobs.submit(
    {
      ...{ name, windows: asWritten(windows), batchSize, guards, delete: job.delete },
      source: { bucket: estate.source, prefix: "image/" },
      target: { bucket: estate.target, prefix: "avatar/" },
      references: [{ database: "app", table: estate.table, key: "id", column: "path" }],
      limits: { requestsPerSecond, concurrency: 16 },
    },
    { idempotencyKey: null, actor: "operator" },
  );
  // It looks around first, in simulated time.
  await service.clock.runUntil(service.clock.now() + 1000);
  const { job: view } = await submitted;
  const witness = new Witness(estate, { windows, requestsPerSecond });
  return { estate, witness, id: view.id, silent: [], reasons: new Set(), told: [], view };
}

/** A window without limits of its own does not speak of any. */
function asWritten(windows: Windows): object {
  const open = windows.open.map(({ limits, ...rest }) => (limits === null ? rest : { ...rest, limits }));
  return { ...windows, open };
}
