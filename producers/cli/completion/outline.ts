/** The commands and their options as completion and the manual need them, taken from the command line itself. */
import type { Command, Option } from "commander";

/** The value that may follow an option. *file* stands for folders too. */
export type OptionValue =
  | { readonly kind: "none" | "file" | "text" }
  | { readonly kind: "choice"; readonly choices: readonly string[] };

export interface OutlinedOption {
  /** `--help`, and `-h` if there is one. */
  readonly names: readonly string[];
  readonly description: string;
  readonly value: OptionValue;
}

export interface OutlinedCommand {
  /** `models pull`; empty for `rankmill` itself. */
  readonly name: string;
  readonly description: string;
  /** `<run> [ids...]` */
  readonly usage: string;
  /** Those that every command takes are among them. */
  readonly options: readonly OutlinedOption[];
  readonly children: readonly { readonly name: string; readonly description: string }[];
  /** The choices of its first argument, if it has some. */
  readonly choices: readonly string[];
}

/** Values that name a file or a folder, by their placeholder: `<dir|url>`. */
const PLACES = /<(?:[a-z=]+\|)*(?:file|dir|path|place)(?:\|[a-z]+)*>/;

/** @param models names that may follow `--model` */
export function outline(program: Command, models: readonly string[]): OutlinedCommand[] {
  const everywhere = program.options.filter(({ long }) => long !== "--version");
  const visit = (command: Command, name: string): OutlinedCommand[] => {
    const children = command.commands.map((child) => ({
      name: child.name(),
      description: child.description(),
    }));
    const own = command === program ? program.options : [...command.options, ...everywhere];
    const help = { names: ["-h", "--help"], description: "show this help", value: NONE };
    return [
      {
        name,
        description: command.description(),
        usage: command.registeredArguments
          .map((one) => (one.required ? `<${one.name()}>` : `[${one.name()}]`))
          .join(" "),
        options: [...own.map((option) => outlined(option, models)), help],
        children,
        choices: command.registeredArguments[0]?.argChoices ?? [],
      },
      ...command.commands.flatMap((child) => visit(child, `${name} ${child.name()}`.trim())),
    ];
  };
  return visit(program, "");
}

const NONE: OptionValue = { kind: "none" };

function outlined(option: Option, models: readonly string[]): OutlinedOption {
  const { short, long, description } = option;
  const names = [short, long].filter((name) => name !== undefined && name !== null);
  return { names, description, value: valueOf(option, models) };
}

function valueOf({ flags, long, argChoices }: Option, models: readonly string[]): OptionValue {
  if (!flags.includes("<")) return NONE;
  if (argChoices !== undefined) return { kind: "choice", choices: argChoices };
  if (long === "--model") return { kind: "choice", choices: models };
  return { kind: PLACES.test(flags) ? "file" : "text" };
}
