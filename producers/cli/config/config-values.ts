import type { Option } from "commander";
import { RankmillError } from "../../../src/core/errors.js";
import { didYouMean } from "../../../src/core/near-names.js";
import { COMMANDS } from "../commands/registry.js";
import { ALL_OPTIONS, OPTIONS_BY_NAME } from "../options/all-options.js";
import { flagOf, type OptionSpec } from "../options/option-spec.js";
import type { ConfigFile, ConfigTable } from "./config-file.js";
import { FOLDER_MAY_SET, isPlainName } from "./folder-may-set.js";

/** A value of the file, and the part of the file that it stands in. */
export interface ConfigValue {
  readonly value: unknown;
  /** `rankmill.toml`, `rankmill.toml [run]` */
  readonly from: string;
}

/**
 * The values of a file for one command, by the keys of options: those of all commands, and over them
 * those of the command's own table.
 *
 * @param path `["models", "pull"]`
 * @throws RankmillError `invalid_option` for a key that means nothing, or that this file may not set
 */
export function configValues(
  file: ConfigFile,
  path: readonly string[],
): ReadonlyMap<string, ConfigValue> {
  checkTable(file, file.table, []);
  const values = new Map<string, ConfigValue>();
  let table: unknown = file.table;
  for (let depth = 0; isTable(table); depth += 1) {
    const from = depth === 0 ? file.path : `${file.path} [${path.slice(0, depth).join(".")}]`;
    for (const [key, value] of Object.entries(table))
      if (!isTable(value)) values.set(key, { value, from });
    const next: string | undefined = path[depth];
    table = next === undefined ? undefined : table[next];
  }
  return values;
}

/** The name of an option in the file: its flag without hyphens before it, and without `no-`. */
export function keyOf(flag: string): string {
  return flag.replace(/^--(?:no-)?/, "");
}

/**
 * The value as the command line would have parsed it.
 *
 * @throws RankmillError `invalid_option` naming the file and the key
 */
export function parsedValue(option: Option, { value, from }: ConfigValue): unknown {
  const key = keyOf(option.long ?? option.name());
  const refuse = (what: string): never => {
    throw new RankmillError("invalid_option", `${from}: ${key}: ${JSON.stringify(value)} ${what}`);
  };
  if (option.isBoolean() || option.negate)
    return typeof value === "boolean" ? value : refuse("is neither true nor false");
  const texts = (Array.isArray(value) ? (value as unknown[]) : [value]).map((one) =>
    typeof one === "string" || typeof one === "number" || typeof one === "bigint"
      ? String(one)
      : refuse("is neither a text nor a number"),
  );
  const isList = specOf(key)?.type === "list";
  if (texts.length !== 1 && !isList) refuse("is a list, and one value is needed");
  const { argChoices, parseArg } = option;
  const [text = ""] = texts;
  if (argChoices !== undefined)
    return argChoices.includes(text) ? text : refuse(`is not one of ${argChoices.join(", ")}`);
  if (parseArg === undefined) return text;
  try {
    return texts.reduce<unknown>((before, one) => parseArg(one, before as string), undefined);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new RankmillError("invalid_option", `${from}: ${message.replace(/^--/, "")}`);
  }
}

function checkTable(file: ConfigFile, table: ConfigTable, path: readonly string[]): void {
  for (const [key, value] of Object.entries(table)) {
    if (isTable(value)) checkCommand(file, [...path, key], value);
    else checkKey(file, key, value);
  }
}

function checkCommand(file: ConfigFile, path: readonly string[], table: ConfigTable): void {
  const [command = "", ...below] = path;
  const name = path.at(-1) ?? "";
  const names =
    below.length === 0
      ? COMMANDS.map((one) => one.name)
      : (COMMANDS.find((one) => one.name === command)?.below ?? []);
  if (!names.includes(name) || below.length > 1) {
    throw refusal(file, `[${path.join(".")}]: no command is named "${name}"`, name, names);
  }
  checkTable(file, table, path);
}

function checkKey({ path, isNamed, ...file }: ConfigFile, key: string, value: unknown): void {
  const spec = specOf(key);
  if (spec === undefined || key === "config") {
    const keys = ALL_OPTIONS.map((one) => keyOf(flagOf(one)));
    throw refusal({ path, isNamed, ...file }, `${key}: there is no such option`, key, keys);
  }
  if (isNamed) return;
  const may = namesOf(key).every((name) => FOLDER_MAY_SET.has(name));
  if (may && (key !== "model" || isPlainName(value))) return;
  const other = spec.env === undefined ? `--${key}` : `${spec.env} or --${key}`;
  throw new RankmillError(
    "invalid_option",
    `${path}: ${key}: a file that nobody has named may not set this: name the file with --config, or use ${other}`,
  );
}

/** The names in code of the options that have this key; most have one. */
function namesOf(key: string): string[] {
  return [...OPTIONS_BY_NAME]
    .filter(([, spec]) => keyOf(flagOf(spec)) === key)
    .map(([name]) => name);
}

function specOf(key: string): OptionSpec | undefined {
  return ALL_OPTIONS.find((spec) => keyOf(flagOf(spec)) === key);
}

function refusal(
  { path }: ConfigFile,
  what: string,
  typed: string,
  names: readonly string[],
): RankmillError {
  const guess = didYouMean(typed, names);
  const message = `${path}: ${what}${guess === undefined ? "" : `: ${guess}`}`;
  return new RankmillError("invalid_option", message);
}

function isTable(value: unknown): value is ConfigTable {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}
