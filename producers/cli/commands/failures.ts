import { createReadStream } from "node:fs";
import type { Command } from "commander";
import type { RecordFailure } from "../../../src/core/record.js";
import {
  describeFailure,
  failedDocuments,
  inputLine,
  type FailedDocument,
} from "../../../src/runs/failure-listing.js";
import { ownLines } from "../../../src/inputs/read/lines.js";
import { parseFailure } from "../../../src/core/record.js";
import { outputPaths } from "../../../src/outputs/output-paths.js";
import { openChosenFile } from "../../../src/outputs/chosen-file.js";
import { RunStore } from "../../../src/redis/run-store.js";
import { createLogger, print, requireRedis, requireSpool, say } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { openRun } from "../../../src/app/runs/open-run.js";
import { commanderOptions, pickValues, type Values } from "../option-values.js";
import { itemsOf } from "../../../src/app/runs/run-items.js";
import { exists } from "../../../src/platform/files.js";

const OPTION_NAMES = ["json", "export", "spool", "redisUrl", "logLevel"] as const;

const FAILED = ".failed.jsonl";

type Failure = RecordFailure | FailedDocument;
type FailureValues = Values<(typeof OPTION_NAMES)[number]>;

export function addFailures(program: Command): void {
  const command = program
    .command("failures")
    .argument("<run>", 'the run\'s id, or the output file of "rankmill run"')
    .description("list what failed of a run: records, and single documents of ranked records")
    .addHelpText(
      "after",
      `
With --json one object a line: {"line", "id"?, "code", "reason", "input"} for a record,
{"id", "document": {"index"}, "code", "reason"} for a document that could not be scored.
--export writes the failed records as they were given, one a line: mend them and submit that file, or
"rankmill retry" where the cause lay elsewhere. A run in Redis needs REDIS_URL.`,
    )
    .action(async (run: string, parsed: Record<string, unknown>) => {
      process.exitCode = await failures(run, parsed);
    });
  for (const option of commanderOptions(OPTION_NAMES)) command.addOption(option);
}

async function failures(run: string, parsed: Record<string, unknown>): Promise<number> {
  const values = pickValues(OPTION_NAMES, parsed);
  const target = values.export;
  // Before anything is read: a place that cannot be written is an error of the arguments.
  const file =
    target === undefined || target === "-" ? undefined : await openChosenFile(target, "--export");
  try {
    const { records, documents } = await list(run, values, async (line) => {
      if (file === undefined) print(line);
      else await file.append(`${line}\n`);
    });
    await file?.close();
    say(`${records} records failed, ${documents} documents of ranked records were not scored`);
    return EXIT.ok;
  } catch (error) {
    await file?.discard();
    throw error;
  }
}

async function list(
  run: string,
  values: FailureValues,
  put: (line: string) => void | Promise<void>,
): Promise<{ records: number; documents: number }> {
  let records = 0;
  let documents = 0;
  const found = (await isOutput(run)) ? ofFiles(run) : ofRun(run, values);
  for await (const failure of found) {
    if ("line" in failure) records += 1;
    else documents += 1;
    if (values.export === undefined) {
      await put(values.json === true ? JSON.stringify(failure) : describeFailure(failure));
    } else if ("line" in failure) await put(inputLine(failure));
  }
  return { records, documents };
}

async function* ofRun(
  run: string,
  values: FailureValues,
): AsyncGenerator<Failure, void, undefined> {
  const redis = await requireRedis(values.redisUrl, createLogger(values.logLevel ?? "warn", 2));
  try {
    const record = await new RunStore(redis).read(run);
    const parts = openRun(redis, record.tag);
    for await (const item of itemsOf(run, record, parts, () => requireSpool(values.spool))) {
      if (item.status === "failed") yield item.failure;
      else if (item.status === "done") yield* failedDocuments(item.line);
    }
    await parts.queue.close();
  } finally {
    redis.disconnect();
  }
}

/** Of `rankmill run`: they lie beside its output. */
async function* ofFiles(output: string): AsyncGenerator<Failure, void, undefined> {
  const { failed, partial, rankings } = outputPaths(await outputOf(output));
  for await (const line of linesOf(failed)) yield parseFailure(line);
  const other = `${rankings}.rankings.jsonl`;
  for (const path of [partial, other, rankings]) {
    if (!(await exists(path))) continue;
    for await (const line of linesOf(path)) yield* failedDocuments(line);
    return;
  }
}

/** The failed file is what one sees first: given that, the output beside it is meant. */
async function outputOf(path: string): Promise<string> {
  if (!path.endsWith(FAILED) || (await exists(outputPaths(path).manifest))) return path;
  const stem = path.slice(0, -FAILED.length);
  return (await isOutput(stem)) ? stem : `${stem}.jsonl`;
}

/** A run's id names no file, unless by chance; then the file is meant. */
async function isOutput(run: string): Promise<boolean> {
  const { output, partial } = outputPaths(run);
  return (await exists(output)) || (await exists(partial));
}

async function* linesOf(path: string): AsyncGenerator<string, void, undefined> {
  if (await exists(path)) yield* ownLines(createReadStream(path));
}
