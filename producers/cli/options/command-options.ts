import { Option, type Command } from "commander";
import { RankmillError } from "../../../src/core/errors.js";
import { env } from "../terminal.js";
import { describeOption } from "./describe-option.js";
import {
  flagOf,
  type GroupValues,
  type IntegerSpec,
  type NumberSpec,
  type OptionGroup,
  type OptionSpec,
} from "./option-spec.js";
import { shortenHelp } from "./short-help.js";

/** The options of a command: whole groups, or parts of them, by the names code uses. */
export type CommandGroups = Readonly<Record<string, OptionGroup>>;

type NameIn<C extends CommandGroups> = {
  [G in keyof C]: keyof C[G]["options"] & string;
}[keyof C];

/** The parsed options of a command, group by group, to be handed on as groups. */
export type CommandValues<C extends CommandGroups> = {
  readonly [G in keyof C]: GroupValues<C[G]>;
};

/**
 * Adds the options of `groups` to a command.
 *
 * @param main the options that short help explains, the most important first. A command with few
 *   options has none, and its help explains all of them in one list
 */
export function addOptions<C extends CommandGroups>(
  command: Command,
  groups: C,
  main: readonly NameIn<C>[] = [],
): void {
  const byName = new Map(Object.values(groups).flatMap(({ options }) => Object.entries(options)));
  const first = main.flatMap((name) => byName.get(name) ?? []);
  const mainOptions = first.map((spec) => addOption(command, spec));
  const others = new Map<string, OptionSpec[]>();
  for (const { title, options } of Object.values(groups)) {
    const specs = Object.values(options).filter((spec) => !first.includes(spec));
    if (specs.length > 0) others.set(title, [...(others.get(title) ?? []), ...specs]);
  }
  if (main.length > 0) shortenHelp(command, mainOptions, others);
  for (const [title, specs] of others) {
    for (const spec of specs) {
      const option = addOption(command, spec);
      if (main.length > 0) option.helpGroup(`${title}:`);
    }
  }
}

function addOption(command: Command, spec: OptionSpec): Option {
  const option = commanderOption(spec);
  command.addOption(option);
  if (spec.type !== "flag" && spec.type !== "list") refuseTwice(command, spec);
  return option;
}

/** Sorts the values that commander parsed into the groups of the command. */
export function readOptions<C extends CommandGroups>(
  groups: C,
  parsed: Readonly<Record<string, unknown>>,
): CommandValues<C> {
  const valueOf = (spec: OptionSpec): unknown => {
    const value = parsed[new Option(spec.flags).attributeName()];
    if (spec.type === "list") return value ?? [];
    return spec.type === "flag" ? value === true : value;
  };
  const entries = Object.entries(groups).map(([group, { options }]) => [
    group,
    Object.fromEntries(Object.entries(options).map(([name, spec]) => [name, valueOf(spec)])),
  ]);
  // Each value has the type of its spec: commander ran the spec's own parser over it.
  return Object.fromEntries(entries) as CommandValues<C>;
}

/** The option as commander takes it, with its variable, its parser and its default. */
export function commanderOption(spec: OptionSpec): Option {
  const option = new Option(spec.flags, describeOption(spec));
  // An empty variable counts as unset: compose files and manifests set them so.
  if (spec.env !== undefined && env[spec.env] !== "") option.env(spec.env);
  if (spec.type === "choice") option.choices(spec.choices);
  if (spec.type === "integer") option.argParser((text: string) => parseInteger(spec, text));
  if (spec.type === "number") option.argParser((text: string) => parseNumber(spec, text));
  if (spec.type === "list") option.argParser(addToList);
  if (spec.type !== "flag" && spec.type !== "list" && spec.default !== undefined)
    option.default(spec.default);
  return option;
}

function addToList(text: string, before: readonly string[] | undefined): readonly string[] {
  const values = text.split(",").map((value) => value.trim());
  return [...(before ?? []), ...values.filter((value) => value !== "")];
}

/** The second of two values would silently replace the first, which is often an input. */
function refuseTwice(command: Command, spec: OptionSpec): void {
  let given = false;
  command.on(`option:${new Option(spec.flags).name()}`, () => {
    if (given) {
      throw new RankmillError(
        "invalid_option",
        `${flagOf(spec)}: is given twice, and takes one value`,
      );
    }
    given = true;
  });
}

function parseInteger(spec: IntegerSpec, text: string): number {
  const value = Number(text);
  const { min, max = Number.MAX_SAFE_INTEGER } = spec;
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min || value > max) {
    const most = spec.max === undefined ? "" : ` and at most ${max}`;
    const message = `${flagOf(spec)}: "${text}" is not a whole number of at least ${min}${most}`;
    throw new RankmillError("invalid_option", message);
  }
  return value;
}

function parseNumber(spec: NumberSpec, text: string): number {
  const value = Number(text);
  const { min, max } = spec;
  if (!/^\d+(\.\d+)?$/.test(text) || value < min || value > max) {
    const message = `${flagOf(spec)}: "${text}" is not a number from ${min} to ${max}`;
    throw new RankmillError("invalid_option", message);
  }
  return value;
}
