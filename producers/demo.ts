/** `npm start`: reranks the sample set with the builtin model and shows what came out. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { cutText } from "./cli/cut-text.js";
import { packageRoot } from "../src/platform/package-root.js";

const CLI = fileURLToPath(new URL("cli/main.js", import.meta.url));
const SHOWN_RECORDS = ["en-ai-definition", "en-foot-daily", "zh-yiliao-tangzu"];
const SHOWN_RESULTS = 3;
/** Columns of a document: with mark and score before it, a line fits a terminal of 80. */
const SHOWN_COLUMNS = 67;

interface SampleRecord {
  readonly id: string;
  readonly query: string;
  readonly documents: readonly { readonly id: string; readonly text: string }[];
  readonly metadata: { readonly relevant: readonly string[] };
}

interface SampleRanking {
  readonly id: string;
  readonly results: readonly { readonly index: number; readonly relevance_score: number }[];
}

function readLines<T>(path: string): T[] {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as T);
}

function show(record: SampleRecord, ranking: SampleRanking): string {
  const lines = ranking.results.slice(0, SHOWN_RESULTS).map(({ index, relevance_score: score }) => {
    const document = record.documents[index];
    const mark = record.metadata.relevant.includes(document?.id ?? "") ? "✓" : " ";
    return `  ${mark} ${score.toFixed(4)}  ${cutText(document?.text ?? "", SHOWN_COLUMNS)}`;
  });
  return [`\n${record.query}`, ...lines].join("\n");
}

const root = packageRoot();
const input = join(root, "producers/examples/sample.jsonl");
const output = join(root, "out/sample.jsonl");
mkdirSync(join(root, "out"), { recursive: true });
const run = ["run", "--model", "builtin-bm25", "--input", input, "--output", output, "--force-new"];
const { status } = spawnSync(process.execPath, [CLI, ...run], { stdio: "inherit" });
if (status === 0) {
  const records = new Map(readLines<SampleRecord>(input).map((record) => [record.id, record]));
  const rankings = readLines<SampleRanking>(output);
  for (const id of SHOWN_RECORDS) {
    const [record, ranking] = [records.get(id), rankings.find((one) => one.id === id)];
    if (record !== undefined && ranking !== undefined) {
      process.stdout.write(`${show(record, ranking)}\n`);
    }
  }
  process.stdout.write(
    `\n${rankings.length} rankings in ${relative(process.cwd(), output)}, how they were made in ${relative(process.cwd(), output.replace(/\.jsonl$/, ".manifest.json"))}
(✓ marks what the sample set calls relevant. builtin-bm25 is a lexical baseline: it matches words and
does not understand them. For a semantic reranker: rankmill models list, then --model NAME.)\n`,
  );
}
process.exitCode = status ?? 1;
