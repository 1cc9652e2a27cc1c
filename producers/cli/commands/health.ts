import type { Command } from "commander";
import { describeHealth, readHealth } from "../../../src/telemetry/health-file.js";
import { print, required } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { commanderOptions, pickValues } from "../option-values.js";

const OPTION_NAMES = ["healthFile"] as const;

export function addHealth(program: Command): void {
  const command = program
    .command("health")
    .description("say whether the worker that writes the health file is of use")
    .addHelpText(
      "after",
      `
Exits 1, with the reason, where Redis does not answer the worker, no lane is at work, nothing makes
progress while jobs wait, or the worker itself stands still or is gone.`,
    )
    .action(async (parsed: Record<string, unknown>) => {
      process.exitCode = await health(parsed);
    });
  for (const option of commanderOptions(OPTION_NAMES)) command.addOption(option);
}

async function health(parsed: Record<string, unknown>): Promise<number> {
  const values = pickValues(OPTION_NAMES, parsed);
  const path = required(values.healthFile, "--health-file");
  const now = Date.now();
  const found = await readHealth(path, now);
  print(describeHealth(found, now));
  return found.fit ? EXIT.ok : EXIT.unfit;
}
