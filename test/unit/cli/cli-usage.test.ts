/** What the command line says when it is used wrongly, and its help. */

import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { editDistance, nearestName } from "../../../src/cli/nearest-name.ts";
import { tranship } from "../../support/worlds/cli-world.ts";

describe("wrong usage ends with 2, says what is wrong, and writes nothing to stdout", () => {
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    ["an unknown command", ["frobnicate"], 'unknown command "frobnicate"; commands are: serve, plan, run'],
    ["a mistyped command", ["statsu", "1"], 'unknown command "statsu"; did you mean "status"?'],
    ["a command in capitals", ["RUN", "j.json"], 'did you mean "run"?'],
    ["options before the command", ["--json", "list"], '"--json" stands before any command'],
    ["an unknown option", ["list", "--frobnicate"], "unknown option --frobnicate\n"],
    ["a mistyped option", ["list", "--stat", "running"], "unknown option --stat; did you mean --state?"],
    ["an unknown short option", ["list", "-x"], "unknown option -x"],
    ["an option without its value", ["serve", "--config"], "--config needs a value: --config FILE"],
    ["an option in the value's place", ["serve", "--config", "--json"], "--config needs a value"],
    ["an empty value", ["serve", "--config="], "--config needs a value"],
    ["a value for a switch", ["demo", "--keep=yes"], "--keep takes no value"],
    ["a missing operand", ["run"], "JOB.json is missing"],
    ["a missing id", ["status"], "ID is missing"],
    ["an operand too many", ["status", "1", "2"], 'unexpected argument "2"'],
    ["an operand where none is taken", ["list", "running"], 'unexpected argument "running"'],
    ["an unknown state", ["list", "--state", "runing"], 'unknown state "runing"; did you mean running?'],
    ["a state like no other", ["list", "--state", "x"], "one of queued, running"],
    ["no URL", ["list", "--url", "localhost:8080"], 'not an http:// or https:// URL: "localhost:8080"'],
    ["no number of objects", ["demo", "--objects", "many"], "a whole number from 1 to 1000000"],
    ["no objects", ["demo", "--objects", "0"], 'not "0"'],
    ["a negative number", ["demo", "--objects=-5"], 'not "-5"'],
    ["part of an object", ["demo", "--objects", "1.5"], 'not "1.5"'],
    ["too many objects", ["demo", "--objects", "1000001"], 'not "1000001"'],
    ["a missing file", ["submit", "/no/such/job.json"], "cannot read /no/such/job.json: ENOENT"],
    ["a directory", ["plan", "/"], "cannot read /: EISDIR"],
    ["a missing configuration", ["serve", "--config", "/no/such.json"], "cannot read /no/such.json"],
  ];

  it.each(cases)("%s", async (_, args, expected) => {
    const told = await tranship(args);
    expect(told.err).toContain(expected);
    expect(told.code).toBe(2);
    if (!args.includes("--json")) expect(told.out).toBe("");
  });

  it("points to the help of the command that was meant", async () => {
    expect((await tranship(["list", "--nothing"])).err).toContain("Try: tranship list --help\n");
    expect((await tranship(["nothing-at-all"])).err).toContain("Try: tranship --help\n");
  });

  it("also tells programs, with --json", async () => {
    const { out, code } = await tranship(["status", "--json"]);
    expect(JSON.parse(out)).toEqual({ error: { code: "usage", message: "ID is missing", faults: [] } });
    expect(code).toBe(2);
  });

  it("shows control characters instead of sending them to the terminal", async () => {
    const { err } = await tranship(["status", "1", "\x1b[2J"]);
    expect(err).not.toContain("\x1b");
  });
});

describe("a job file", () => {
  const read = (content: string | Uint8Array) =>
    tranship(["submit", "-"], { readStdin: async () => Buffer.from(content) });

  it.each([
    ['{\n  "name": x\n}', "standard input is not JSON: see line 2, column 11\n"],
    ["", "standard input is not JSON: it ends too early, at line 1, column 1\n"],
    ['{"a": 1,}', "see line 1, column 9\n"],
    [Buffer.from([0x22, 0xff, 0x22]), "standard input is not UTF-8\n"],
  ])("%j is refused with its place", async (content, message) => {
    const told = await read(content);
    expect(told.err).toContain(message);
    expect(told.code).toBe(2);
  });
});

describe("help", () => {
  it("lists every command and the exit codes", async () => {
    const { code, out, err } = await tranship(["--help"]);
    for (const { name, summary } of COMMANDS) expect(out).toMatch(new RegExp(`^  ${name}.*${summary}$`, "m"));
    expect(out).toContain("3 completed with exceptions");
    expect({ code, err }).toEqual({ code: 0, err: "" });
  });

  it.each(["-h", "help"])("is also called %s", async (name) => {
    expect(await tranship([name])).toEqual(await tranship(["--help"]));
  });

  it("is what one gets for nothing, but on stderr and as a mistake", async () => {
    const told = await tranship([]);
    expect(told).toMatchObject({ code: 2, out: "" });
    expect(told.err).toContain("Usage: tranship <command>");
  });

  it.each(COMMANDS.map((command) => command.name))("of %s names all its options", async (name) => {
    const told = await tranship([name, "--help", "--whatever"]);
    const command = COMMANDS.find((candidate) => candidate.name === name);
    expect(told.code).toBe(0);
    for (const option of command?.options ?? []) expect(told.out).toContain(`--${option.name}`);
    expect(told.out).toContain("--json");
    expect(await tranship(["help", name])).toEqual(told);
    expect(await tranship([name, "-h"])).toEqual(told);
  });

  it("fits 120 columns", async () => {
    const texts = [["--help"], ...COMMANDS.map(({ name }) => [name, "--help"])];
    for (const args of texts) {
      const { out } = await tranship(args);
      expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
    }
  });

  it("tells the version", async () => {
    expect(await tranship(["--version"])).toEqual({ code: 0, out: "1.2.3\n", err: "" });
    expect((await tranship(["--version", "--json"])).out).toBe('"1.2.3"\n');
  });
});

describe("the nearest name", () => {
  const names = ["serve", "plan", "run", "status", "retry"];

  it.each([
    ["sevre", "serve"],
    ["pln", "plan"],
    ["rum", "run"],
    ["stat", "status"],
    ["retyr", "retry"],
    ["delete", null],
    ["x", null],
  ])("to %s is %s", (typed, nearest) => {
    expect(nearestName(typed, names)).toBe(nearest);
  });

  it("counts insertions, deletions, replacements and swaps of neighbours as one each", () => {
    expect(editDistance("", "abc")).toBe(3);
    expect(editDistance("abc", "abc")).toBe(0);
    expect(editDistance("acb", "abc")).toBe(1);
    expect(editDistance("kitten", "sitting")).toBe(3);
  });
});
