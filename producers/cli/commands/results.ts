import type { Command } from "commander";
import { failureLine } from "../../../src/core/record.js";
import { linkTarget, outputPaths } from "../../../src/outputs/output-paths.js";
import { checkResultsPlace } from "../../../src/outputs/result-files.js";
import type { Run } from "../../../src/app/runs/run.js";
import { rankingsOut, say } from "../terminal.js";
import { EXIT } from "../exit-codes.js";
import { sayMissingWorker } from "../say-missing-worker.js";
import { waitForRun } from "../wait-for-run.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { LOGS } from "../options/messages.js";
import { requireOptions } from "../options/required-options.js";
import { pick } from "../options/option-spec.js";
import { OUTPUT_FILE } from "../options/output.js";
import { REDIS_ADDRESS } from "../options/redis.js";
import { RUN } from "../options/run.js";
import { withRuns } from "../with-runs.js";

const GROUPS = {
  output: OUTPUT_FILE,
  run: pick(RUN, "wait", "spool"),
  redis: REDIS_ADDRESS,
  messages: LOGS,
};

export function defineResults(command: Command): void {
  command
    .argument("<run>", "the run's id")
    .action(async (run: string, parsed: Record<string, unknown>) => {
      process.exitCode = await results(run, parsed);
    });
  addOptions(command, GROUPS);
  addHelp(command, {
    examples: ["rankmill results RUN --output rankings.jsonl --wait"],
    notes: [
      `Writes the rankings so far, even while the run goes on; failed records go to OUT.failed.jsonl. For a cancelled run, the records that were not done are among the failed, with code cancelled. Exit codes: 0 every record has a ranking; 3 some failed or were cancelled; 4 some are not over yet. Needs REDIS_URL.`,
    ],
  });
}

async function results(id: string, parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const { output } = requireOptions({
    output: values.output.output,
    redisUrl: values.redis.redisUrl,
  });
  if (output !== "-") await checkResultsPlace(outputPaths(await linkTarget(output)), id);
  return await withRuns(values, async (runs) => {
    const run = await runs.open(id);
    if (values.run.wait) {
      await sayMissingWorker(runs.redis, await run.summary());
      if ((await waitForRun(run)) === EXIT.interrupted) return EXIT.interrupted;
    }
    return await writeResults(run, output);
  });
}

/** Writes what is done of a run. @returns the exit code that says how much that was */
export async function writeResults(run: Run, output: string): Promise<number> {
  const { ranked, failed, open, over } = await run.writeResults(output, {
    stdout: rankingsOut(output),
    onFailure: (failure) => say(failureLine(failure)),
  });
  say(`${ranked} ranked, ${failed} failed, ${open} not over yet · ${output}`);
  if (!over) return EXIT.unfinished;
  return failed === 0 ? EXIT.ok : EXIT.someFailed;
}
