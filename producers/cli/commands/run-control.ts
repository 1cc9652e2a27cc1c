import type { Command } from "commander";
import type { Run } from "../../../src/app/runs/run.js";
import { say } from "../terminal.js";
import { counted } from "../../../src/core/counted.js";
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
  defineControl(command, async (run) => `${counted(await run.cancel(), "record")} stopped`);
}

export function defineRetry(command: Command): void {
  defineControl(command, async (run) => {
    const { failed } = (await run.status()).counts;
    const again = await run.retry();
    const said = `${counted(again, "record")} enqueued again`;
    // Those that were never jobs fail in whatever attempt: their lines are at fault.
    return failed <= again
      ? said
      : `${said}; ${counted(failed - again, "record")} can never be ranked as given: "rankmill failures ${run.id}" says why`;
  });
}

/** @param act does it, and says what was done */
function defineControl(command: Command, act: (run: Run) => Promise<string>): void {
  command
    .argument("<run>", "the run's id")
    .action(async (id: string, parsed: Record<string, unknown>) => {
      const values = readOptions(GROUPS, parsed);
      say(await withRuns(values, async (runs) => await act(await runs.open(id))));
      process.exitCode = EXIT.ok;
    });
  addOptions(command, GROUPS);
}
