/** The `--config` option of the commands that do the work themselves. */

import type { Purpose, Tranship } from "../compose.ts";
import { type Config, readConfig } from "../config.ts";
import type { CommandContext } from "./command.ts";
import type { CommandArguments, OptionSpec } from "./command-arguments.ts";

export const CONFIG_OPTION: OptionSpec = {
  name: "config",
  value: "FILE",
  description: "configuration (default: built-in defaults)",
};

/** The configuration that `given` names; throws `config_invalid` with every fault. */
export function givenConfig(given: CommandArguments, context: CommandContext): Config {
  return readConfig(given.value("config") ?? null, context.environment);
}

/** Builds the service, calls `work` with it, and closes it in any case. */
export async function withService<Result>(
  config: Config,
  context: CommandContext,
  purpose: Purpose,
  work: (service: Tranship) => Promise<Result>,
): Promise<Result> {
  const service = await context.compose(config, purpose);
  try {
    return await work(service);
  } finally {
    await service.close();
  }
}
