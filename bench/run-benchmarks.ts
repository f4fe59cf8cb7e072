/** `npm run bench`: every measure in one run on this machine, printed as tables and written to docs. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { installParts } from "../test/support/servers/install-parts.ts";
import { barChart } from "./bar-chart.ts";
import { databaseSection } from "./database-section.ts";
import { growthSection } from "./growth-section.ts";
import { installPeers } from "./install-peers.ts";
import { largeObjectsSection } from "./large-objects-section.ts";
import { listingSection } from "./listing-section.ts";
import { machineFacts } from "./machine-facts.ts";
import { reportText } from "./report.ts";
import type { Effort, Section, SectionReport } from "./section.ts";
import { throttledSection } from "./throttled-section.ts";
import { throughputSection } from "./throughput-section.ts";

const SECTIONS: readonly Section[] = [
  throughputSection,
  throttledSection,
  largeObjectsSection,
  listingSection,
  databaseSection,
  growthSection,
];

const USAGE = `usage: npm run bench -- [--only NAME,NAME] [--quick | --long] [--no-peers] [--out DIR]
  --only      some of: ${SECTIONS.map(({ name }) => name).join(", ")}
  --quick     few objects and one round: to see that it works, not to measure
  --long      ten million objects too, where a section has them: half an hour more
  --no-peers  Tranship alone
  --out       where benchmarks.md and benchmarks.svg go; docs for a whole run, otherwise nowhere unless given
`;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    quick: { type: "boolean", default: false },
    long: { type: "boolean", default: false },
    "no-peers": { type: "boolean", default: false },
    out: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const names = values.only?.split(",") ?? SECTIONS.map(({ name }) => name);
const unknown = names.filter((name) => !SECTIONS.some((section) => section.name === name));
if (values.help || unknown.length > 0) {
  process.stderr.write(unknown.length > 0 ? `no such section: ${unknown.join(", ")}\n${USAGE}` : USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  await run();
}

async function run(): Promise<void> {
  // Whatever was started dies with this process: each part has a hook on its exit.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const tell = (line: string) => void process.stderr.write(`${line}\n`);
  const effort: Effort = { quick: values.quick, long: values.long, peers: !values["no-peers"], tell };
  await installParts(["mariadb"]);
  if (effort.peers) installPeers(tell);
  const facts = machineFacts();
  const sections: SectionReport[] = [];
  const isWhole = !values.quick && effort.peers && values.only === undefined;
  const directory = values.out ?? (isWhole ? "docs" : undefined);
  const given = process.argv.slice(2).join(" ");
  const command = given === "" ? "npm run bench" : `npm run bench -- ${given}`;
  const chart = directory === undefined ? null : "benchmarks.svg";
  let report = "";
  for (const section of SECTIONS.filter(({ name }) => names.includes(name))) {
    tell(`--- ${section.name}`);
    sections.push(await section.measure(effort));
    report = reportText({ facts, sections, command, quick: values.quick, chart });
    // After each section: a run of half an hour that is cut off has measured something all the same.
    if (directory !== undefined) write(directory, report, sections);
  }
  process.stdout.write(report);
}

function write(directory: string, report: string, sections: readonly SectionReport[]): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "benchmarks.md"), report);
  writeFileSync(join(directory, "benchmarks.svg"), barChart(sections.flatMap(({ charts }) => charts)));
}
