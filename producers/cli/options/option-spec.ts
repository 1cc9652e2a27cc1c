/** The parts that every option has. */
interface CommonSpec {
  /** The flag as commander reads it: `--lanes <n>`. */
  readonly flags: string;
  readonly env?: string;
  /** Text shown in place of a default that is computed when the command runs. */
  readonly computedDefault?: string;
  readonly unit?: string;
  /** A phrase for the help and the page of options: a noun first, no capital, no full stop. */
  readonly description: string;
}

export interface TextSpec extends CommonSpec {
  readonly type: "text";
  readonly default?: string;
}

export interface IntegerSpec extends CommonSpec {
  readonly type: "integer";
  /** Inclusive, as is `max`. */
  readonly min: number;
  readonly max?: number;
  readonly default?: number;
}

/** A number that need not be whole. */
export interface NumberSpec extends CommonSpec {
  readonly type: "number";
  /** Inclusive, as is `max`. */
  readonly min: number;
  readonly max: number;
  readonly default?: number;
}

interface ChoiceSpec extends CommonSpec {
  readonly type: "choice";
  readonly choices: readonly string[];
  readonly default?: string;
}

interface FlagSpec extends CommonSpec {
  readonly type: "flag";
}

/** Values that may be given again and again, each also several at once with commas. None by default. */
interface ListSpec extends CommonSpec {
  readonly type: "list";
}

/** One option: the only place that names its flag, environment variable, default and unit. */
export type OptionSpec = TextSpec | IntegerSpec | NumberSpec | ChoiceSpec | FlagSpec | ListSpec;

/** The options of one subject, in the order in which help shows them, by the names code uses. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

export interface OptionGroup<T extends OptionTable = OptionTable> {
  /** Heading in the help and on the page of options. */
  readonly title: string;
  readonly options: T;
}

/** The value of an option once it is parsed. */
type ValueOf<S extends OptionSpec> = S extends {
  readonly choices: infer C extends readonly string[];
}
  ? C[number]
  : S extends IntegerSpec | NumberSpec
    ? number
    : S extends FlagSpec
      ? boolean
      : S extends ListSpec
        ? readonly string[]
        : string;

type HasValue<S> = S extends { readonly default: string | number } | FlagSpec | ListSpec
  ? true
  : false;

/** The parsed values of a table. A flag, a list, and an option with a default always has one. */
type TableValues<T extends OptionTable> = {
  readonly [K in keyof T]: HasValue<T[K]> extends true ? ValueOf<T[K]> : ValueOf<T[K]> | undefined;
};

/** The parsed values of a group. */
export type GroupValues<G extends OptionGroup> = TableValues<G["options"]>;

/** The part of a group that a command has. */
export function pick<T extends OptionTable, const N extends keyof T & string>(
  group: OptionGroup<T>,
  ...names: readonly N[]
): OptionGroup<Pick<T, N>> {
  const wanted: ReadonlySet<string> = new Set(names);
  const entries = Object.entries(group.options).filter(([name]) => wanted.has(name));
  return { title: group.title, options: Object.fromEntries(entries) as Pick<T, N> };
}

/** The flag alone: `--lanes`. */
export function flagOf(spec: OptionSpec): string {
  return spec.flags.split(" ", 1)[0] ?? spec.flags;
}
