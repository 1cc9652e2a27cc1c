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
async function helpOf(name: string, ...args: readonly string[]): Promise<string> {
  let text = "";
  const program = await createProgram();
  for (const [, command] of commands(program)) {
    command.exitOverride().configureOutput({
      writeOut: (part) => {
        text += part;
      },
      getOutHelpWidth: () => COLUMNS,
    });
  }
  const words = [...name.split(" ").slice(1), ...args];
  await expect(program.parseAsync(words, { from: "user" })).rejects.toThrow("(outputHelp)");
  return text;
}

const ALL = commands(await createProgram());
const WITH_MANY = ALL.filter(([, command]) => command.options.length > 11);

describe("the help of", () => {
  it.each(ALL)("%s fits 80 columns", async (name) => {
    expect((await helpOf(name, "--help")).split("\n").filter(isTooLong)).toEqual([]);
  });

  it.each(WITH_MANY)("%s fits 80 columns if it explains every option", async (name) => {
    expect((await helpOf(name, "--help-all")).split("\n").filter(isTooLong)).toEqual([]);
  });

  it.each(WITH_MANY)(
    "%s explains at most six options, names the others in groups, and ends with examples",
    async (name, command) => {
      const help = await helpOf(name, "--help");
      expect(help.split("\n").length).toBeLessThanOrEqual(48);
      const [, main = "", others = "", examples = ""] = help.split(
        /^(?:Main options|Other options, explained by --help-all|Examples):$/m,
      );
      const explained = [...main.matchAll(/^ {2}(?:-h, )?(--[a-z0-9-]+)/gm)].map(
        ([, flag]) => flag,
      );
      expect(explained.length).toBeLessThanOrEqual(8);
      expect(explained.slice(-2)).toEqual(["--help-all", "--help"]);
      expect(examples).toContain(`${name} `);
      const named = others.match(/--[a-z0-9-]+/g) ?? [];
      const all = command.options.map(({ long }) => long);
      expect(explained.length + named.length).toBe(all.length + 1);
      expect(new Set([...explained, ...named])).toEqual(new Set([...all, "--help"]));
    },
  );

  it.each(WITH_MANY)("%s explains every option if it is asked for all", async (name, command) => {
    const help = await helpOf(name, "--help-all");
    for (const { flags } of command.options) expect(help).toContain(`\n  ${flags} `);
    expect(help).toContain("\nExamples:\n");
    expect(help).toContain("docs/options.md lists the variables");
  });
});

function isTooLong(line: string): boolean {
  return line.length > COLUMNS;
}
