import { createReadStream } from "node:fs";
import type { Command } from "commander";
import { describeError } from "../../../src/core/errors.js";
import {
  damagedFailure,
  failureLine,
  parseFailure,
  type RecordFailure,
} from "../../../src/core/record.js";
import {
  describeFailure,
  failedDocuments,
  inputLine,
  type FailedDocument,
} from "../../../src/runs/failure-listing.js";
import { ownLines } from "../../../src/inputs/read/lines.js";
import { outputPaths } from "../../../src/outputs/output-paths.js";
import { openChosenFile } from "../../../src/outputs/chosen-file.js";
import type { RunItem } from "../../../src/runs/run-item.js";
import { print, say } from "../terminal.js";
import { printable } from "../printable.js";
import { counted } from "../../../src/core/counted.js";
import { EXIT } from "../exit-codes.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions, type CommandValues } from "../options/command-options.js";
import { MESSAGES } from "../options/messages.js";
import { pick } from "../options/option-spec.js";
import { REDIS_ADDRESS } from "../options/redis.js";
import { RUN } from "../options/run.js";
import { withRuns } from "../with-runs.js";

import { exists } from "../../../src/platform/files.js";
import { reasonWithFlags } from "../say-error.js";

const GROUPS = {
  run: pick(RUN, "export", "spool"),
  redis: REDIS_ADDRESS,
  messages: MESSAGES,
};

const FAILED = ".failed.jsonl";

type Failure = RecordFailure | FailedDocument;
/** Failures that were listed, by what failed. */
interface Listed {
  readonly records: number;
  readonly documents: number;
}
type FailureValues = CommandValues<typeof GROUPS>;

export function defineFailures(command: Command): void {
  command
    .argument("<run>", 'the run\'s id, or the output file of "rankmill run"')
    .action(async (run: string, parsed: Record<string, unknown>) => {
      process.exitCode = await failures(run, parsed);
    });
  addOptions(command, GROUPS);
  addHelp(command, {
    examples: ["rankmill failures out.jsonl", "rankmill failures RUN --export failed.jsonl"],
    notes: [
      `With --json there is one object per line: {"line", "id"?, "code", "reason", "input"} for a record, {"id", "document": {"index"}, "code", "reason"} for a document that could not be scored. --export writes the failed records as they were given, one per line: mend them and submit that file. If the cause lay elsewhere, use "rankmill retry". A run in Redis needs REDIS_URL.`,
    ],
  });
}

async function failures(run: string, parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const target = values.run.export;
  // Before anything is read: a place that cannot be written is an error of the arguments.
  const file =
    target === undefined || target === "-" ? undefined : await openChosenFile(target, "--export");
  try {
    const { records, documents } = await list(run, values, async (line) => {
      if (file === undefined) print(line);
      else await file.append(`${line}\n`);
    });
    await file?.close();
    say(
      `${counted(records, "record")} failed, ${counted(documents, "document")} of ranked records not scored`,
    );
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
): Promise<Listed> {
  if (await isOutput(run)) return await listAll(ofFiles(run), values, put);
  return await withRuns(values, async (runs) => {
    return await listAll(ofRun((await runs.open(run)).items()), values, put);
  });
}

async function listAll(
  found: AsyncIterable<Failure>,
  values: FailureValues,
  put: (line: string) => void | Promise<void>,
): Promise<Listed> {
  const listed = { records: 0, documents: 0 };
  for await (const failure of found) {
    if ("line" in failure) listed.records += 1;
    else listed.documents += 1;
    if (values.run.export === undefined) {
      await put(values.messages.json ? asJson(failure) : shown(failure));
    } else if ("line" in failure) await put(inputLine(failure));
  }
  return listed;
}

async function* ofRun(items: AsyncIterable<RunItem>): AsyncGenerator<Failure, void, undefined> {
  for await (const item of items) {
    if (item.status === "failed") yield item.failure;
    else if (item.status === "done") yield* failedDocuments(item.line);
  }
}

/** The failures of `rankmill run`: they lie beside its output. */
async function* ofFiles(output: string): AsyncGenerator<Failure, void, undefined> {
  const { failed, partial, rankings } = outputPaths(await outputOf(output));
  let number = 0;
  for await (const line of linesOf(failed)) {
    number += 1;
    yield failureOf(line, `line ${number} of ${failed}`);
  }
  const other = `${rankings}.rankings.jsonl`;
  for (const path of [partial, other, rankings]) {
    if (!(await exists(path))) continue;
    let place = 0;
    for await (const line of linesOf(path)) {
      place += 1;
      yield* documentsOf(line, `line ${place} of ${path}`);
    }
    return;
  }
}

/** A ranking that cannot be read fails alone; the next start of the run ranks it anew. */
function documentsOf(line: string, place: string): Failure[] {
  try {
    return failedDocuments(line);
  } catch (error) {
    const { message } = describeError(error);
    return [{ line: 0, code: "damaged", reason: `${place}: ${message}`, input: null }];
  }
}

function failureOf(line: string, place: string): RecordFailure {
  try {
    return parseFailure(line);
  } catch {
    return damagedFailure(line, place);
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

function shown(failure: Failure): string {
  const { said, input } = describeFailure(failure);
  const line = printable(reasonWithFlags(said));
  return input === undefined ? line : `${line}\n  ${printable(input)}`;
}

function asJson(failure: Failure): string {
  return "line" in failure ? failureLine(failure) : JSON.stringify(failure);
}
