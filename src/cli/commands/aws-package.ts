/** `tranship aws package`: writes the packages of the functions that run on AWS. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DomainError, messageOf } from "../../domain/errors.ts";
import { packageFile } from "../../domain/function-package.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { importMs, packages } from "../function-packages.ts";
import { humanBytes } from "../rendering/human-units.ts";

const USUAL_DIRECTORY = "tranship-functions";

interface WrittenPackage {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly importMs: number;
}

export const awsPackageCommand: Command = {
  name: "aws package",
  summary: "write the packages of the functions that run on AWS",
  operands: [],
  options: [
    { name: "out", value: "DIRECTORY", description: `where to write them (default ./${USUAL_DIRECTORY})` },
  ],
  details: [
    "Needs no AWS. The same version of Tranship gives the same bytes; the hash is in each file's name, and the template",
    "asks for it. Prints size, hash (SHA-256, base64, as Lambda tells it) and the time that importing takes here.",
  ],
  async run(given, { output }) {
    const directory = given.value("out") ?? USUAL_DIRECTORY;
    const written: WrittenPackage[] = [];
    try {
      await mkdir(directory, { recursive: true });
      for (const { name, zip, sha256, bytes } of packages()) {
        const file = join(directory, packageFile(name, sha256));
        await writeFile(file, zip);
        written.push({ file, bytes, sha256, importMs: Math.round(await importMs(name)) });
      }
    } catch (error) {
      if (error instanceof DomainError) throw error;
      throw new DomainError("invalid_input", `cannot write to ${directory}: ${messageOf(error)}`, {
        cause: error,
      });
    }
    output.out(given.json ? `${JSON.stringify(written)}\n` : written.map(lineOf).join(""));
    return EXIT.completed;
  },
};

function lineOf({ file, bytes, sha256, importMs: ms }: WrittenPackage): string {
  return `${file}  ${humanBytes(bytes)}  imported in ${ms} ms  ${sha256}\n`;
}
