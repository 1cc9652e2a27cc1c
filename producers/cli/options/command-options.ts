import { Option, type Command } from "commander";
import { RankmillError } from "../../../src/core/errors.js";
import { env } from "../context.js";
import { describeOption } from "./describe-option.js";
import {
  flagOf,
  type GroupValues,
  type IntegerSpec,
  type OptionGroup,
  type OptionSpec,
} from "./option-spec.js";

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
 * @param main the options that help shows first; the others follow under the titles of their groups.
 *   A command with few options has none, and help shows its options in one list
 */
export function addOptions<C extends CommandGroups>(
  command: Command,
  groups: C,
  main: readonly NameIn<C>[] = [],
): void {
  const first = main.flatMap((name) => {
    const spec = Object.values(groups).find(({ options }) => name in options)?.options[name];
    return spec === undefined ? [] : [{ title: "Main options", spec }];
  });
  const rest = Object.values(groups).flatMap(({ title, options }) =>
    Object.values(options).map((spec) => ({ title, spec })),
  );
  const lastTitle = rest.at(-1)?.title;
  if (main.length > 0 && lastTitle !== undefined) {
    command.addHelpOption(new Option("-h, --help", "show this help").helpGroup(`${lastTitle}:`));
  }
  const shown = new Set<OptionSpec>();
  for (const { title, spec } of [...first, ...rest]) {
    if (shown.has(spec)) continue;
    shown.add(spec);
    const option = commanderOption(spec);
    command.addOption(main.length === 0 ? option : option.helpGroup(`${title}:`));
    if (spec.type !== "flag") refuseTwice(command, spec);
  }
}

/** Sorts the values that commander parsed into the groups of the command. */
export function readOptions<C extends CommandGroups>(
  groups: C,
  parsed: Readonly<Record<string, unknown>>,
): CommandValues<C> {
  const valueOf = (spec: OptionSpec): unknown => {
    const value = parsed[new Option(spec.flags).attributeName()];
    return spec.type === "flag" ? value === true : value;
  };
  const entries = Object.entries(groups).map(([group, { options }]) => [
    group,
    Object.fromEntries(Object.entries(options).map(([name, spec]) => [name, valueOf(spec)])),
  ]);
  // Each value has the type of its spec: commander ran the spec's own parser over it.
  return Object.fromEntries(entries) as CommandValues<C>;
}

function commanderOption(spec: OptionSpec): Option {
  const option = new Option(spec.flags, describeOption(spec));
  // An empty variable counts as unset: compose files and manifests set them so.
  if (spec.env !== undefined && env[spec.env] !== "") option.env(spec.env);
  if (spec.type === "choice") option.choices(spec.choices);
  if (spec.type === "integer") option.argParser((text: string) => parseInteger(spec, text));
  if (spec.type !== "flag" && spec.default !== undefined) option.default(spec.default);
  return option;
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
