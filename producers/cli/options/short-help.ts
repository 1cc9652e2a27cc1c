import { Help, Option, type Command } from "commander";
import { flagOf, type OptionSpec } from "./option-spec.js";

const MAIN_OPTIONS = "Main options";
const HELP_ALL = "helpAll";

/**
 * Keeps `--help` of a command with many options short: it explains the main ones and names the
 * others. `--help-all` explains every option.
 *
 * @param others the other options, by the title of their group
 */
export function shortenHelp(
  command: Command,
  main: readonly Option[],
  others: ReadonlyMap<string, readonly OptionSpec[]>,
): void {
  const help = new Option("-h, --help", "show this help");
  const helpAll = new Option("--help-all", "explain every option");
  command.addHelpOption(help.helpGroup(`${MAIN_OPTIONS}:`));
  command.addOption(helpAll.helpGroup(`${MAIN_OPTIONS}:`));
  // At once, as `--help` does: options that are missing do not matter.
  command.on(`option:${helpAll.name()}`, () => command.help());
  for (const option of main) option.helpGroup(`${MAIN_OPTIONS}:`);
  const shown = new Set([...main, helpAll]);
  const usual = command.configureHelp();
  command.configureHelp({
    ...usual,
    visibleOptions(this: Help, one) {
      const options = Help.prototype.visibleOptions.call(this, one);
      if (!isShort(command)) return options;
      return options.filter((option) => shown.has(option) || option.long === help.long);
    },
    formatHelp(one, helper) {
      const text = Help.prototype.formatHelp.call(helper, one, helper);
      return isShort(command) ? `${text}\n${namesOf(others, helper)}` : text;
    },
  });
}

/** Whether the help of `command` leaves explanations to `--help-all`. */
export function isShort(command: Command): boolean {
  const hasBoth = command.options.some((option) => option.attributeName() === HELP_ALL);
  return hasBoth && command.getOptionValue(HELP_ALL) !== true;
}

function namesOf(groups: ReadonlyMap<string, readonly OptionSpec[]>, helper: Help): string {
  const width = Math.max(...[...groups.keys()].map((title) => title.length));
  const lines = [...groups].map(([title, specs]) =>
    helper.formatItem(title, width, specs.map(flagOf).join(" "), helper),
  );
  return ["Other options, explained by --help-all:", ...lines, ""].join("\n");
}
