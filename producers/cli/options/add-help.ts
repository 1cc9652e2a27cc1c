import { Help, type Command } from "commander";
import { isShort } from "./short-help.js";

export interface HelpText {
  /** Whole command lines. */
  readonly examples?: readonly string[];
  /** Paragraphs, wrapped to the width of the terminal; short help leaves them out. */
  readonly notes?: readonly string[];
}

const ENVIRONMENT =
  "Most options can be set in the environment too: --lanes 4 as RANKMILL_LANES=4. docs/options.md lists the variables.";

/** Help for output that is not a terminal, and no wider on a wide one: long lines read badly. */
const MOST_COLUMNS = 80;

/** Adds what stands below the options in a command's help: examples, then notes. */
export function addHelp(command: Command, { examples = [], notes = [] }: HelpText): void {
  command.addHelpText("after", () => {
    const hasVariables = command.options.some(({ envVar }) => envVar !== undefined);
    const paragraphs = isShort(command) ? [] : [...notes, ...(hasVariables ? [ENVIRONMENT] : [])];
    const width = Math.min(process.stdout.columns ?? MOST_COLUMNS, MOST_COLUMNS);
    const sections = [
      ...(examples.length === 0 ? [] : [`Examples:\n${examples.map(indented).join("\n")}`]),
      ...paragraphs.map((paragraph) => new Help().boxWrap(paragraph, width)),
    ];
    return sections.map((section) => `\n${section}`).join("\n");
  });
}

function indented(example: string): string {
  return example.replaceAll(/^/gm, "  ");
}
