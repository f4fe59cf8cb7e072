/** Who updates the rows, side by side: the service in bulk, or the functions of an engine on AWS, object by object. */

import { figure } from "../figures.ts";
import { medianOf } from "../latencies.ts";
import type { Effort, Section, SectionReport } from "../section.ts";
import { measureUpdates, type UpdatesRun, WAYS, type Way } from "./measure-updates.ts";

export const enginesSection: Section = { name: "engines", measure };

async function measure(effort: Effort): Promise<SectionReport> {
  const objectsPerSecond = 100;
  const environments = effort.quick ? 4 : 32;
  const runs = await measureUpdates(effort, {
    ...{ rounds: effort.quick ? 1 : 3, seconds: effort.quick ? 2 : 10, objectsPerSecond },
    rows: effort.quick ? 50_000 : 500_000,
    environments,
    workload: { operationsPerSecond: effort.quick ? 100 : 400, connections: 16 },
  });
  return {
    title: "Who updates rows",
    text: `An application reads and writes the table at a fixed rate while nothing goes on, while the service moves ${figure(objectsPerSecond)} objects a second and updates their rows in bulk, and while the packaged copying function copies as many in ${environments} environments with \`"updates": "function"\` and a limit of Threads_running, so that each looks at it once a second; rows that the functions leave, because the database takes longer than they wait, are the service's then. Statements and connections are those of the account that moves, by the server's own statistics, the look-ups of a table's shape and the setting up of connections among them. Rounds alternate; figures are medians, connections and maxima those of all rounds.`,
    table: {
      head: [
        "who updates",
        "objects/s",
        "UPDATEs for 1,000",
        "all statements for 1,000",
        "rows left",
        "connections made",
        "at once",
        "application's p50 ms",
        "p99 ms",
        "max ms",
      ],
      rows: WAYS.map((way) => cellsOf(way, runs)),
    },
    figures: {},
  };
}

function cellsOf(way: Way, all: readonly UpdatesRun[]): string[] {
  const runs = all.filter((run) => run.way === way);
  const middle = (value: (run: UpdatesRun) => number) => figure(medianOf(runs.map(value)));
  const most = (value: (run: UpdatesRun) => number) => figure(Math.max(...runs.map(value)));
  const isIdle = way === "nobody";
  const moving = isIdle
    ? ["–", "–", "–", "–", "–", "–"]
    : [
        middle((run) => run.objectsPerSecond),
        middle((run) => (run.updates * 1000) / run.objects),
        middle((run) => (run.statements * 1000) / run.objects),
        most((run) => run.left),
        most((run) => run.connections),
        most((run) => run.connectionsAtOnce),
      ];
  return [
    way,
    ...moving,
    middle((run) => run.latencies.p50),
    middle((run) => run.latencies.p99),
    most((run) => run.latencies.max),
  ];
}
