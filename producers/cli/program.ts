import { Command } from "commander";
import { packageVersion } from "../../src/platform/package-root.js";
import { applyConfig } from "./config/apply-config.js";
import { COMMANDS } from "./commands/registry.js";
import { commanderOption } from "./options/command-options.js";
import { flagOf } from "./options/option-spec.js";
import { EVERYWHERE } from "./options/everywhere.js";
import { chooseColour, type ColourChoice } from "./painted.js";
import { sayErrorLine } from "./say-failure.js";
import { sayUsageError } from "./say-usage-error.js";
import { env } from "./terminal.js";
import { startTracing } from "./tracing.js";

/**
 * The command line, with the code of one command or of all.
 *
 * @param only the command that is wanted; the others have their name and their line of help alone
 */
export async function createProgram(only?: string): Promise<Command> {
  const program = new Command("rankmill")
    .description("Bulk cross-encoder reranking as durable jobs on Redis.")
    .version(packageVersion())
    .helpOption("-h, --help", "show this help")
    // Descriptions hold choices and defaults; a variable is named only if its name is unusual.
    .configureHelp({ optionDescription: ({ description }) => description })
    .configureOutput({
      writeErr: (text) => text.trimEnd().split("\n").forEach(sayErrorLine),
      outputError: (text, write) => write(`rankmill: ${sayUsageError(text)}\n`),
    })
    .exitOverride()
    .hook("preAction", async (_, action) => await prepareAction(program, action));
  addEverywhere(program);
  for (const { name, description, load } of COMMANDS) {
    const command = program.command(name).description(description);
    if (only === undefined || name === only) (await load())(command);
  }
  for (const command of commandsIn(program)) command.showHelpAfterError(helpHint(command));
  return program;
}

/** Steps between reading arguments and the work of a command. */
async function prepareAction(program: Command, action: Command): Promise<void> {
  // `config` shows the values of the file, and takes none of them.
  if (action.name() !== "config") await applyConfig(program, action);
  if (program.getOptionValueSource("color") === "config") chooseColour(colourOf(program));
  await startTracing(action.name(), env);
}

/** The parser of the option admits nothing else. */
function colourOf(program: Command): ColourChoice {
  return program.getOptionValue("color") as ColourChoice;
}

/** Adds the options of every command. Colour is chosen as soon as it is read: errors have it too. */
function addEverywhere(program: Command): void {
  chooseColour("auto");
  for (const spec of Object.values(EVERYWHERE.options)) program.addOption(commanderOption(spec));
  for (const event of ["option:color", "optionEnv:color"])
    program.on(event, () => chooseColour(colourOf(program)));
}

/** The arguments without the options of every command, which may stand before its name. */
export function withoutEverywhere(args: readonly string[]): string[] {
  const flags = new Set(Object.values(EVERYWHERE.options).map(flagOf));
  return args.filter((arg, i) => !flags.has(arg) && !flags.has(args[i - 1] ?? ""));
}

/** The command that `args` name, for a hint to its help. */
export function commandNamed(program: Command, args: readonly string[]): Command {
  const [name, ...rest] = args;
  const child = program.commands.find((one) => one.name() === name);
  return child === undefined ? program : commandNamed(child, rest);
}

/** `(rankmill models pull --help lists its options)`. */
export function helpHint(command: Command): string {
  const what = command.commands.length === 0 ? "options" : "commands";
  return `(${fullName(command)} --help lists its ${what})`;
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

function commandsIn(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(commandsIn)];
}
