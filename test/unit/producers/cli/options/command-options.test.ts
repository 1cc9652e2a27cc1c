import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { addOptions, readOptions } from "../../../../../producers/cli/options/command-options.js";
import { INPUT } from "../../../../../producers/cli/options/input.js";
import { LANES } from "../../../../../producers/cli/options/lanes.js";
import { pick } from "../../../../../producers/cli/options/option-spec.js";

const GROUPS = { input: pick(INPUT, "input", "inputFormat"), lanes: LANES };

function parse(...args: string[]) {
  const command = new Command("probe").exitOverride().configureOutput({ writeErr: () => {} });
  addOptions(command, GROUPS);
  command.parse(args, { from: "user" });
  return readOptions(GROUPS, command.opts());
}

describe("the options of a command", () => {
  it("come back in their groups, with defaults and with flags that nobody gave", () => {
    const { input, lanes } = parse("--input", "in.jsonl", "--lanes", "3");
    expect(input).toEqual({ input: "in.jsonl", inputFormat: "auto" });
    expect(lanes).toMatchObject({ lanes: 3, threads: undefined, calibrate: true });
  });

  it("turn a flag that begins with --no off", () => {
    expect(parse("--no-calibrate").lanes.calibrate).toBe(false);
  });

  it.each([[["--input", "a", "--input", "b"]], [["--input=a", "--input=b"]]])(
    "refuse an option that takes one value and is given twice: %s",
    (args) => {
      expect(() => parse(...args)).toThrow("--input: is given twice, and takes one value");
    },
  );

  it("take a flag that is given twice", () => {
    expect(parse("--no-calibrate", "--no-calibrate").lanes.calibrate).toBe(false);
  });

  it.each(["0", "1.5", "-1", "many", "9007199254740993"])(
    "refuse %s if a whole number of at least 1 is needed",
    (text) => {
      expect(() => parse("--lanes", text)).toThrow(
        `--lanes: "${text}" is not a whole number of at least 1`,
      );
    },
  );

  it("refuse a choice that is not one of theirs", () => {
    expect(() => parse("--input-format", "csv2")).toThrow(/Allowed choices are auto, job/);
  });
});
