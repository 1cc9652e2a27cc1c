import type { Command, Option } from "commander";
import { readConfig } from "./config-file.js";

/** A value of a secret's option, as if it had been typed: logs must not show it. */
let secretArgs: readonly string[] = [];

/** Arguments that the file stands for and that may hold secrets. */
export function argsOfConfig(): readonly string[] {
  return secretArgs;
}

const SECRETS: ReadonlySet<string> = new Set(["--redis-url", "--hub-token"]);

/**
 * Gives the options of a command that were neither typed nor set in the environment the values of the configuration file.
 *
 * @throws RankmillError `invalid_option` for a file, key or value that cannot be used
 */
export async function applyConfig(program: Command, command: Command): Promise<void> {
  secretArgs = [];
  const named: unknown = program.getOptionValue("config");
  const file = await readConfig(typeof named === "string" ? named : undefined);
  if (file === undefined) return;
  const { configValues, keyOf, parsedValue } = await import("./config-values.js");
  const values = configValues(file, pathOf(command));
  for (const [owner, option] of optionsOf(program, command)) {
    const long = option.long ?? "";
    const found = values.get(keyOf(long));
    const name = option.attributeName();
    const source = owner.getOptionValueSource(name);
    if (found === undefined || !(source === undefined || source === "default")) continue;
    const value = parsedValue(option, found);
    owner.setOptionValueWithSource(name, value, "config");
    if (SECRETS.has(long)) secretArgs = [...secretArgs, long, String(value)];
  }
}

/** `["models", "pull"]` */
export function pathOf(command: Command): string[] {
  return command.parent === null ? [] : [...pathOf(command.parent), command.name()];
}

/** The options that a command takes, with the command that keeps their values. */
export function optionsOf(program: Command, command: Command): (readonly [Command, Option])[] {
  const everywhere = program.options.filter(({ long }) => long !== "--version");
  return [
    ...command.options.map((option) => [command, option] as const),
    ...everywhere.map((option) => [program, option] as const),
  ];
}
