import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { createProgram } from "../../../../producers/cli/program.js";

const COLUMNS = 80;

/** Every command with its full name. */
function commands(of: Command, name = "rankmill"): [string, Command][] {
  const children = of.commands.flatMap((child) => commands(child, `${name} ${child.name()}`));
  return [[name, of], ...children];
}

/** The help as a terminal of 80 columns shows it. */
function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => COLUMNS,
  });
  command.outputHelp();
  return text;
}

const ALL = commands(createProgram());

describe("the help of", () => {
  it.each(ALL)("%s fits 80 columns", (_, command) => {
    expect(
      helpOf(command)
        .split("\n")
        .filter((line) => line.length > COLUMNS),
    ).toEqual([]);
  });

  it.each(ALL.filter(([, command]) => command.options.length > 11))(
    "%s shows at most six options first, the others in groups, then examples",
    (_, command) => {
      const help = helpOf(command);
      const headings = [...help.matchAll(/^([A-Z][A-Za-z ]+):$/gm)].map(([, title]) => title);
      expect(headings[0]).toBe("Main options");
      expect(headings.length).toBeGreaterThan(3);
      expect(headings.at(-1)).toBe("Examples");
      const main = /Main options:\n([\s\S]*?)\n\n/.exec(help)?.[1] ?? "";
      const flags = main.match(/^ {2}-/gm)?.length ?? 0;
      expect(flags).toBeGreaterThan(3);
      expect(flags).toBeLessThanOrEqual(6);
    },
  );
});
