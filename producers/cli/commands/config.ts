import process from "node:process";
import type { Command, Option } from "commander";
import { RankmillError } from "../../../src/core/errors.js";
import { optionsOf, pathOf } from "../config/apply-config.js";
import { readConfig } from "../config/config-file.js";
import { configValues, keyOf, parsedValue, type ConfigValue } from "../config/config-values.js";
import { EXIT } from "../exit-codes.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { MESSAGES } from "../options/messages.js";
import { pick } from "../options/option-spec.js";
import { redactor } from "../secrets.js";
import { env, print, printLines, say } from "../terminal.js";
import { textTable, type Column } from "../text-table.js";

const GROUPS = { messages: pick(MESSAGES, "json") };
const USUAL_COLUMNS = 80;
/** Commands that share a setting and are still named one by one. */
const MOST_NAMED = 2;

/** An option of a command, its value, and the place that the value comes from. */
interface Setting {
  readonly command: string;
  readonly option: string;
  /** The value as text; a secret is not shown. */
  readonly value: string;
  readonly from: string;
}

const COLUMNS: readonly Column<Setting>[] = [
  { head: "option", cell: ({ option }) => option },
  { head: "value", cell: ({ value }) => value },
  { head: "from", cell: ({ from }) => from },
  { head: "commands", cell: ({ command }) => command, leaveOut: 1 },
];

export function defineConfig(command: Command): void {
  command
    .argument(
      "[command...]",
      "the command; without it, all commands, and only what is set somewhere",
    )
    .action(async (path: readonly string[], parsed: Record<string, unknown>) => {
      process.exitCode = await showConfig(command, path, readOptions(GROUPS, parsed).messages.json);
    });
  addOptions(command, GROUPS);
  addHelp(command, {
    examples: ["rankmill config", "rankmill config run"],
    notes: [
      `An option takes its value from the command line, else from the environment, else from the configuration file, else from its default. The file is the one that --config or RANKMILL_CONFIG names, else rankmill.toml in the working folder. Its keys are names of options without --, as top-n = 10. A table, as [run] or [models.pull], holds the options of one command. A file that nobody has named may not set addresses, keys or places.`,
    ],
  });
}

async function showConfig(
  self: Command,
  path: readonly string[],
  asJson: boolean,
): Promise<number> {
  const named: unknown = self.parent?.getOptionValue("config");
  const file = await readConfig(typeof named === "string" ? named : undefined);
  // Loaded only here: the other commands come with it.
  const { createProgram } = await import("../program.js");
  const program = await createProgram();
  const commands = path.length === 0 ? leavesOf(program) : [commandAt(program, path)];
  const settings = commands.flatMap((command) => {
    const values = file === undefined ? NONE : configValues(file, pathOf(command));
    return optionsOf(program, command)
      .filter(([, { long }]) => long !== "--help-all")
      .map(([, option]) => settingOf(option, pathOf(command).join(" "), values))
      .filter(({ from }) => path.length > 0 || from !== DEFAULT);
  });
  const shown = path.length === 0 ? together(settings) : settings;
  if (asJson) print(JSON.stringify(shown));
  else {
    say(file === undefined ? "no configuration file" : `configuration file: ${file.path}`);
    if (shown.length === 0) say("nothing is set: every option has its default");
    else {
      const columns = path.length === 0 ? COLUMNS : COLUMNS.slice(0, -1);
      printLines(...textTable(columns, shown, process.stdout.columns ?? USUAL_COLUMNS));
    }
  }
  return EXIT.ok;
}

const NONE: ReadonlyMap<string, ConfigValue> = new Map();
const DEFAULT = "default";

function settingOf(
  option: Option,
  command: string,
  values: ReadonlyMap<string, ConfigValue>,
): Setting {
  const flag = option.long ?? option.name();
  const setting = { command, option: flag };
  const inFile = values.get(keyOf(flag));
  // A value that cannot be used is refused here too.
  const parsed = inFile === undefined ? undefined : parsedValue(option, inFile);
  const { envVar } = option;
  const inEnv = envVar === undefined ? "" : (env[envVar] ?? "");
  if (envVar !== undefined && inEnv !== "")
    return { ...setting, value: hidden(flag, inEnv), from: envVar };
  if (inFile !== undefined)
    return { ...setting, value: hidden(flag, String(parsed)), from: inFile.from };
  const usual: unknown = option.defaultValue;
  const isShown = typeof usual === "string" || typeof usual === "number";
  return { ...setting, value: isShown ? String(usual) : "–", from: DEFAULT };
}

/** A value without the secrets in it. */
function hidden(flag: string, value: string): string {
  return redactor(env, [flag, value])(value);
}

/** Equal settings of several commands as one. */
function together(settings: readonly Setting[]): Setting[] {
  const found = new Map<string, Setting[]>();
  for (const setting of settings) {
    const key = JSON.stringify([setting.option, setting.value, setting.from]);
    found.set(key, [...(found.get(key) ?? []), setting]);
  }
  return [...found.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const names = same.map(({ command }) => command);
    const command = names.length <= MOST_NAMED ? names.join(", ") : `${names.length} commands`;
    return [{ ...first, command }];
  });
}

function leavesOf(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);
}

function commandAt(program: Command, path: readonly string[]): Command {
  let at = program;
  for (const name of path) {
    const child = at.commands.find((one) => one.name() === name);
    if (child === undefined) {
      throw new RankmillError("invalid_option", `no command is named "${path.join(" ")}"`);
    }
    at = child;
  }
  return at;
}
