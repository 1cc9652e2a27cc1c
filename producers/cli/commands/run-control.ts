import type { Command } from "commander";
import type { Run } from "../../../src/app/runs/run.js";
import { say } from "../context.js";
import { counted } from "../counted.js";
import { EXIT } from "../exit-codes.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { LOGS } from "../options/messages.js";
import { pick } from "../options/option-spec.js";
import { REDIS_ADDRESS } from "../options/redis.js";
import { RUN } from "../options/run.js";
import { withRuns } from "../with-runs.js";

const GROUPS = {
  run: pick(RUN, "spool"),
  redis: REDIS_ADDRESS,
  messages: LOGS,
};

export function addCancel(program: Command): void {
  const description = "stop a submitted run and keep its rankings";
  addControl(program, "cancel", description, (run) => run.cancel(), "stopped");
}

export function addRetry(program: Command): void {
  const description = "enqueue failed and cancelled records again";
  addControl(program, "retry", description, (run) => run.retry(), "enqueued again");
}

function addControl(
  program: Command,
  name: string,
  description: string,
  act: (run: Run) => Promise<number>,
  outcome: string,
): void {
  const command = program
    .command(name)
    .argument("<run>", "the run's id")
    .description(`${description}; needs REDIS_URL`)
    .action(async (id: string, parsed: Record<string, unknown>) => {
      const values = readOptions(GROUPS, parsed);
      const records = await withRuns(values, async (runs) => await act(await runs.open(id)));
      say(`${counted(records, "record")} ${outcome}`);
      process.exitCode = EXIT.ok;
    });
  addOptions(command, GROUPS);
}
