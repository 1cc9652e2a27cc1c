import type { Command } from "commander";
import type { Run } from "../../../src/app/runs/run.js";
import { say } from "../terminal.js";
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

export function defineCancel(command: Command): void {
  defineControl(command, (run) => run.cancel(), "stopped");
}

export function defineRetry(command: Command): void {
  defineControl(command, (run) => run.retry(), "enqueued again");
}

function defineControl(
  command: Command,
  act: (run: Run) => Promise<number>,
  outcome: string,
): void {
  command
    .argument("<run>", "the run's id")
    .action(async (id: string, parsed: Record<string, unknown>) => {
      const values = readOptions(GROUPS, parsed);
      const records = await withRuns(values, async (runs) => await act(await runs.open(id)));
      say(`${counted(records, "record")} ${outcome}`);
      process.exitCode = EXIT.ok;
    });
  addOptions(command, GROUPS);
}
