import process from "node:process";
import type { Command } from "commander";
import {
  DEFAULT_LIMITS,
  rankingSchema,
  type RerankRequest,
  type WireRanking,
} from "../../../src/core/contract.js";
import { describeError, RankmillError } from "../../../src/core/errors.js";
import { openInput } from "../../../src/inputs/read/open-input.js";
import { readLines } from "../../../src/inputs/read/lines.js";
import { openSource } from "../../../src/inputs/open-source.js";
import { readManifest } from "../../../src/outputs/manifest.js";
import { outputPaths } from "../../../src/outputs/output-paths.js";
import { exists } from "../../../src/platform/files.js";
import { EXIT } from "../exit-codes.js";
import { inputChoice } from "../input-choice.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions, type CommandValues } from "../options/command-options.js";
import { INPUT } from "../options/input.js";
import { MESSAGES } from "../options/messages.js";
import { pick } from "../options/option-spec.js";
import { SHOW } from "../options/show.js";
import { rankingLines } from "../ranking-lines.js";
import { print, printLines, say } from "../terminal.js";

const GROUPS = { show: SHOW, input: INPUT, messages: pick(MESSAGES, "json") };

/** Room for a ranking of many documents; a longer line is refused. */
const MOST_LINE_BYTES = 64 * 1024 * 1024;
const USUAL_COLUMNS = 80;

type ShowValues = CommandValues<typeof GROUPS>;

export function defineShow(command: Command): void {
  command
    .argument("<output>", 'the output file of "rankmill run" or "rankmill results"')
    .argument("[ids...]", "the ids of records; without them, the first rankings are shown")
    .action(async (output: string, ids: readonly string[], parsed: Record<string, unknown>) => {
      process.exitCode = await show(output, ids, readOptions(GROUPS, parsed));
    });
  addOptions(command, GROUPS);
  addHelp(command, {
    examples: [
      "rankmill show questions.ranked.jsonl",
      "rankmill show out.jsonl q17 --documents 20",
    ],
    notes: [
      `Texts are read from the input that the manifest beside the output names; --input names another, and a collection needs --first-stage too. Without texts, ids stand alone. "cut" marks a document of which the model read only a part.`,
    ],
  });
}

async function show(output: string, ids: readonly string[], values: ShowValues): Promise<number> {
  const rankings = await rankingsOf(await placeOfRankings(output), ids, values.show.records);
  if (rankings.length === 0) {
    say(
      ids.length === 0
        ? `${output} holds no ranking`
        : `${output}: no ranking of ${ids.join(", ")}`,
    );
    return EXIT.usage;
  }
  if (values.messages.json) {
    for (const ranking of rankings) print(JSON.stringify(ranking));
    return EXIT.ok;
  }
  const requests = await requestsOf(output, rankings, values);
  const columns = process.stdout.columns ?? USUAL_COLUMNS;
  const { documents } = values.show;
  rankings.forEach((ranking, i) => {
    if (i > 0) print("");
    printLines(...rankingLines(ranking, requests.get(ranking.id), { documents, columns }));
  });
  return EXIT.ok;
}

/** The file of rankings as JSONL: the output, the file that it was made from, or the part that is there so far. */
async function placeOfRankings(output: string): Promise<string> {
  const other = outputPaths(output, "other").rankings;
  for (const path of [other, output, outputPaths(output).partial])
    if (await exists(path)) return path;
  throw new RankmillError(
    "input_unusable",
    `${output}: there is no such file, nor ${output}.partial`,
  );
}

async function rankingsOf(
  path: string,
  ids: readonly string[],
  most: number,
): Promise<readonly WireRanking[]> {
  const wanted = new Set(ids);
  const found: WireRanking[] = [];
  const { chunks } = await openInput(path);
  for await (const line of readLines(chunks, { maxLineBytes: MOST_LINE_BYTES })) {
    if (line.status !== "line") throw unread(path, line.lineNumber, line.message);
    const ranking = parsed(line.text);
    if (ranking === undefined) throw unread(path, line.lineNumber, NO_RANKING);
    if (wanted.size > 0 && !wanted.has(ranking.id)) continue;
    found.push(ranking);
    if (found.length >= (wanted.size > 0 ? wanted.size : most)) break;
  }
  return found;
}

function parsed(text: string): WireRanking | undefined {
  try {
    return rankingSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const NO_RANKING = 'no ranking: name the output of "rankmill run", as JSON lines';

function unread(path: string, line: number, why: string): RankmillError {
  return new RankmillError("input_unusable", `${path}: line ${line}: ${why}`);
}

/** The records of the rankings, by id. Rankings can be shown without them. */
async function requestsOf(
  output: string,
  rankings: readonly WireRanking[],
  values: ShowValues,
): Promise<ReadonlyMap<string, RerankRequest>> {
  const requests = new Map<string, RerankRequest>();
  const manifest = await readManifest(outputPaths(output).manifest);
  const input =
    values.input.input ?? (manifest.kind === "run" ? manifest.manifest.input : undefined);
  if (input === undefined || input === "-") return requests;
  const wanted = new Set(rankings.map(({ id }) => id));
  try {
    const choice = inputChoice(input, values.input);
    const options = {
      limits: DEFAULT_LIMITS,
      topN: undefined,
      stdin: process.stdin,
      onNote: () => undefined,
    };
    const source = await openSource(choice, { ...options, modelNames: () => [] });
    try {
      for await (const record of source.read(new Set())) {
        if (record.status !== "valid" || !wanted.has(record.request.id)) continue;
        requests.set(record.request.id, record.request);
        if (requests.size === wanted.size) break;
      }
    } finally {
      await source.close();
    }
  } catch (error) {
    say(`texts are not shown: ${describeError(error).message}`);
  }
  return requests;
}
