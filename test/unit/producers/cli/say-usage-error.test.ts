import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../../../producers/cli/commands/registry.js";
import { createProgram } from "../../../../producers/cli/program.js";

/** The words with which the command line refuses its arguments, without the hint at the end. */
async function refusal(...args: readonly string[]): Promise<string | undefined> {
  let said = "";
  const program = await createProgram();
  const quiet = { writeErr: (text: string) => void (said += text) };
  for (const command of [
    program,
    ...program.commands,
    ...program.commands.flatMap((one) => one.commands),
  ])
    command.exitOverride().configureOutput(quiet);
  await expect(program.parseAsync(args, { from: "user" })).rejects.toThrow(/./);
  return said.split("\n(")[0]?.trim();
}

it("the registry knows the commands below each command", async () => {
  const program = await createProgram();
  const found = new Map(
    program.commands.map((command) => [command.name(), command.commands.map((one) => one.name())]),
  );
  for (const { name, below = [] } of COMMANDS)
    expect([name, found.get(name)]).toEqual([name, below]);
});

describe("arguments that are refused", () => {
  it.each([
    [["run", "--modle", "a"], "rankmill: no option is named --modle: did you mean --model?"],
    [["run", "--xyz"], "rankmill: no option is named --xyz"],
    [["stauts"], 'rankmill: no command is named "stauts": did you mean status?'],
    [["models", "pul", "a"], 'rankmill: no command is named "pul": did you mean pull?'],
    [["results"], "rankmill: <run> is missing"],
    [["completion", "tcsh"], 'rankmill: <shell>: "tcsh" is not one of bash, zsh, fish'],
    [["run", "--model"], "rankmill: --model: its value is missing"],
    [
      ["run", "--precision", "int9"],
      'rankmill: --precision: "int9" is not one of auto, fp32, bf16, fp16, int8, uint8, w8, q4, q4f16, bnb4',
    ],
    [["status", "a", "b"], "rankmill: status takes 1 argument, not 2; options begin with --"],
  ])("%j: %s", async (args, words) => {
    expect(await refusal(...args)).toBe(words);
  });

  it("a variable is named as such", async () => {
    process.env["RANKMILL_LOG_FORMAT"] = "xml";
    try {
      expect(await refusal("status")).toBe(
        'rankmill: RANKMILL_LOG_FORMAT: "xml" is not one of pretty, json',
      );
    } finally {
      delete process.env["RANKMILL_LOG_FORMAT"];
    }
  });
});
