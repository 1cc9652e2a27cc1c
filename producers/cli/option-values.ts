import { Option } from "commander";
import { RankmillError } from "../../src/core/errors.js";
import { env } from "./context.js";
import { OPTIONS, type OptionName, type OptionSpec } from "./options.js";

/** What an option's value is once parsed. */
type ValueOf<S extends OptionSpec> = S["type"] extends "integer"
  ? number
  : S["type"] extends "flag"
    ? boolean
    : string;

type HasDefault<S> = S extends { readonly default: string | number } ? true : false;

/** The parsed values of the options `N`; those with a default are always there. */
export type Values<N extends OptionName> = {
  readonly [K in N]: HasDefault<(typeof OPTIONS)[K]> extends true
    ? ValueOf<(typeof OPTIONS)[K]>
    : ValueOf<(typeof OPTIONS)[K]> | undefined;
};

/** The commander options of `names`, in order. */
export function commanderOptions(names: readonly OptionName[]): Option[] {
  return names.map((name) => {
    const spec: OptionSpec = OPTIONS[name];
    const unit = spec.unit === undefined ? "" : ` [${spec.unit}]`;
    const computed =
      spec.computedDefault === undefined ? "" : ` (default: ${spec.computedDefault})`;
    const option = new Option(spec.flags, `${spec.description}${unit}${computed}`);
    // An empty variable is none: compose files and manifests set them so.
    if (spec.env !== undefined && env[spec.env] !== "") option.env(spec.env);
    if (spec.default !== undefined) option.default(spec.default);
    if (spec.choices !== undefined) option.choices([...spec.choices]);
    if (spec.type === "integer") option.argParser((text: string) => parseInteger(spec, text));
    return option;
  });
}

/** The attribute under which commander keeps `name`'s value: `--top-n` → `topN`. */
function attributeOf(name: OptionName): string {
  return new Option(OPTIONS[name].flags).attributeName();
}

/** Picks the values of `names` out of what commander parsed. */
export function pickValues<N extends OptionName>(
  names: readonly N[],
  parsed: Readonly<Record<string, unknown>>,
): Values<N> {
  return Object.fromEntries(names.map((name) => [name, parsed[attributeOf(name)]])) as Values<N>;
}

function parseInteger(spec: OptionSpec, text: string): number {
  const value = Number(text);
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = spec;
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min || value > max) {
    const flag = spec.flags.split(" ", 1)[0] ?? spec.flags;
    const most = spec.max === undefined ? "" : ` and at most ${max}`;
    const message = `${flag}: "${text}" is not a whole number of at least ${min}${most}`;
    throw new RankmillError("invalid_option", message);
  }
  return value;
}
