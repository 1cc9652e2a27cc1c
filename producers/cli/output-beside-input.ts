import { basename, dirname, join } from "node:path";
import { statSync } from "node:fs";

/** The usual end of an input's name; another one stays, so that no two inputs have one output. */
const JSON_LINES = /\.(jsonl|ndjson)$/i;

/**
 * The output of an input that has none of its own: `questions.jsonl` → `questions.ranked.jsonl`, and
 * `questions.csv` → `questions.csv.ranked.jsonl`.
 *
 * @param format the value of `--output-format`
 * @returns undefined for an input that has no name of its own: standard input, or a pipe
 */
export function besideInput(input: string, format: string): string | undefined {
  if (input === "-") return undefined;
  const stats = statSync(input, { throwIfNoEntry: false });
  // One that is not there is refused under its own name.
  if (stats !== undefined && !stats.isFile() && !stats.isDirectory()) return undefined;
  const name = basename(input).replace(JSON_LINES, "");
  return join(dirname(input), `${name}.ranked.${format === "trec" ? "trec" : "jsonl"}`);
}
