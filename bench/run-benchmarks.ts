/** `npm run bench`: every measure in one run on this machine, printed as tables and written to docs. */

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { installParts } from "../test/support/servers/install-parts.ts";
import { machineFacts } from "./machine-facts.ts";
import { installPeers } from "./peers/install-peers.ts";
import { reportText } from "./report.ts";
import type { Effort, Section, SectionReport } from "./section.ts";
import { databaseSection } from "./sections/database.ts";
import { enginesSection } from "./sections/engines.ts";
import { growthSection } from "./sections/growth.ts";
import { largeObjectsSection } from "./sections/large-objects.ts";
import { listingSection } from "./sections/listing.ts";
import { throttledSection } from "./sections/throttled.ts";
import { throughputSection } from "./sections/throughput.ts";

const SECTIONS: readonly Section[] = [
  throughputSection,
  throttledSection,
  largeObjectsSection,
  listingSection,
  databaseSection,
  enginesSection,
  growthSection,
];

const USAGE = `usage: npm run bench -- [--only NAME,NAME] [--quick | --long] [--no-peers] [--against DIST] [--out DIR]
  --only      some of: ${SECTIONS.map(({ name }) => name).join(", ")}
  --quick     few objects and one round: to see that it works, not to measure
  --long      ten million objects too, where a section has them: half an hour more
  --no-peers  no other programs
  --against   the dist folder of another build of Tranship, which takes part in throughput in turn with this one
  --out       where benchmarks.md goes; docs for a whole run, otherwise nowhere unless given
`;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    quick: { type: "boolean", default: false },
    long: { type: "boolean", default: false },
    "no-peers": { type: "boolean", default: false },
    against: { type: "string" },
    out: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const names = values.only?.split(",") ?? SECTIONS.map(({ name }) => name);
const against = values.against === undefined ? null : resolve(values.against);
const unknown = names.filter((name) => !SECTIONS.some((section) => section.name === name));
const faults = [
  ...(unknown.length > 0 ? [`no such section: ${unknown.join(", ")}\n`] : []),
  ...(against !== null && !existsSync(join(against, "src/main.js")) ? [`no build in ${against}\n`] : []),
];
if (values.help || faults.length > 0) {
  process.stderr.write(faults.join("") + USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  await run();
}

async function run(): Promise<void> {
  // Whatever was started dies with this process: each part has a hook on its exit.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const tell = (line: string) => void process.stderr.write(`${line}\n`);
  const { quick, long } = values;
  const dist = fileURLToPath(new URL("..", import.meta.url));
  const effort: Effort = { quick, long, peers: !values["no-peers"], dist, against, tell };
  await installParts(["mariadb"]);
  if (effort.peers) installPeers(tell);
  const facts = machineFacts();
  const sections = new Map<string, SectionReport>();
  const isWhole = !quick && effort.peers && values.only === undefined && against === null;
  const directory = values.out ?? (isWhole ? "docs" : undefined);
  const command = ["npm run bench", ...process.argv.slice(2)].join(" ").replace("bench -", "bench -- -");
  let report = "";
  for (const section of SECTIONS.filter(({ name }) => names.includes(name))) {
    tell(`--- ${section.name}`);
    sections.set(section.name, await section.measure(effort));
    report = reportText({ facts, sections, command, quick });
    // After each section: a run of half an hour that is cut off has measured something all the same.
    if (directory !== undefined) {
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, "benchmarks.md"), report);
    }
  }
  process.stdout.write(report);
}
