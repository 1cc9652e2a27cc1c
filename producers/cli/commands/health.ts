import type { Command } from "commander";
import { describeHealth, readHealth } from "../../../src/telemetry/health-file.js";
import { print } from "../terminal.js";
import { EXIT } from "../exit-codes.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { OBSERVE } from "../options/observe.js";
import { requireOptions } from "../options/required-options.js";
import { pick } from "../options/option-spec.js";

const GROUPS = {
  observe: pick(OBSERVE, "healthFile"),
};

export function defineHealth(command: Command): void {
  command.action(async (parsed: Record<string, unknown>) => {
    process.exitCode = await health(parsed);
  });
  addOptions(command, GROUPS);
  addHelp(command, {
    examples: ["rankmill health --health-file /tmp/rankmill-health"],
    notes: [
      `Exits 1, with the reason, if Redis does not answer the worker, no lane works, nothing makes progress while jobs wait, or the worker itself stands still or is gone.`,
    ],
  });
}

async function health(parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const { healthFile } = requireOptions(values.observe);
  const now = Date.now();
  const found = await readHealth(healthFile, now);
  print(describeHealth(found, now));
  return found.fit ? EXIT.ok : EXIT.unfit;
}
