import type { Command } from "commander";
import { say } from "../terminal.js";
import { EXIT } from "../exit-codes.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { LOGS } from "../options/messages.js";
import { pick } from "../options/option-spec.js";
import { REDIS_ADDRESS } from "../options/redis.js";
import { RUN } from "../options/run.js";
import { withRuns } from "../with-runs.js";

const GROUPS = {
  run: pick(RUN, "force", "spool"),
  redis: REDIS_ADDRESS,
  messages: LOGS,
};

export function definePurge(command: Command): void {
  command
    .argument("<run>", "the run's id")
    .action(async (id: string, parsed: Record<string, unknown>) => {
      const values = readOptions(GROUPS, parsed);
      await withRuns(values, (runs) => runs.purge(id, { force: values.run.force }));
      say(`run ${id} is gone`);
      process.exitCode = EXIT.ok;
    });
  addOptions(command, GROUPS);
  addHelp(command, {
    examples: ["rankmill purge RUN"],
    notes: [
      `Files that "rankmill results" wrote stay. A run that is under way is refused; with --force it is cancelled first. Needs REDIS_URL.`,
    ],
  });
}
