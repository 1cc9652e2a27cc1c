import type { Command } from "commander";
import { RunStore } from "../../../src/redis/run-store.js";
import { checkPlace, outputPaths } from "../../../src/outputs/output-paths.js";
import { ResultFiles } from "../../../src/outputs/result-files.js";
import { StreamOutput } from "../../../src/outputs/stream-output.js";
import { createLogger, required, requireRedis, requireSpool, say } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { isOver, lookAt, openRun, type OpenRun } from "../../../src/app/runs/open-run.js";
import { waitForRun } from "../wait-for-run.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { LOGS } from "../options/messages.js";
import { pick } from "../options/option-spec.js";
import { OUTPUT_FILE } from "../options/output.js";
import { REDIS_ADDRESS } from "../options/redis.js";
import { RUN } from "../options/run.js";

import { itemsOf } from "../../../src/app/runs/run-items.js";

const GROUPS = {
  output: OUTPUT_FILE,
  run: pick(RUN, "wait", "spool"),
  redis: REDIS_ADDRESS,
  messages: LOGS,
};

export function addResults(program: Command): void {
  const command = program
    .command("results")
    .argument("<run>", "the run's id")
    .description("write a submitted run's rankings to a file, in the order of its input")
    .action(async (run: string, parsed: Record<string, unknown>) => {
      process.exitCode = await results(run, parsed);
    });
  addOptions(command, GROUPS);
  addHelp(command, {
    examples: ["rankmill results RUN --output rankings.jsonl --wait"],
    notes: [
      `Writes what is done, even while the run goes on; failed records go to OUT.failed.jsonl. For a cancelled run, the records that were not done are among the failed, with code cancelled. Exit codes: 0 every record has a ranking; 3 some failed or were cancelled; 4 some are not over yet. Needs REDIS_URL.`,
    ],
  });
}

async function results(run: string, parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const output = required(values.output.output, "--output");
  const logger = createLogger(values.messages.logLevel ?? "warn", 2);
  if (output !== "-") await checkPlace(outputPaths(output));
  const redis = await requireRedis(values.redis.redisUrl, logger);
  try {
    const store = new RunStore(redis);
    const record = await store.read(run);
    const parts = openRun(redis, record.tag);
    if (values.run.wait) await waitForRun(run, parts);
    const code = await writeResults(run, parts, output, values.run.spool);
    await parts.queue.close();
    return code;
  } finally {
    redis.disconnect();
  }
}

/** Writes what is done of a run. @returns the exit code that says how much that was */
export async function writeResults(
  run: string,
  parts: OpenRun,
  output: string,
  spool: string | undefined,
): Promise<number> {
  const record = await parts.store.read(run);
  const files = output === "-" ? undefined : await ResultFiles.open(output);
  const sink = files ?? new StreamOutput(process.stdout, (failure) => say(JSON.stringify(failure)));
  let open = 0;
  try {
    for await (const item of itemsOf(run, record, parts, () => requireSpool(spool))) {
      if (item.status === "open") open += 1;
      else if (item.status === "done") await sink.write([item.line]);
      else await sink.fail([item.failure]);
    }
    await files?.close();
  } catch (error) {
    await files?.discard();
    throw error;
  }
  const over = open === 0 && isOver(record, await lookAt(run, record, parts));
  const { done, failed } = sink.counts;
  say(`${done} ranked, ${failed} failed, ${open} not over yet · ${output}`);
  if (!over) return EXIT.unfinished;
  return failed === 0 ? EXIT.ok : EXIT.someFailed;
}
