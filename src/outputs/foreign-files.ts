/** Files where a run would write that no run wrote: they are not replaced. */
import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { RankmillError } from "../core/errors.js";
import { parseFailure } from "../core/record.js";
import { countLine, emptyCounts } from "../core/run-counts.js";
import { option, wording } from "../core/wording.js";
import { readLines } from "../inputs/read/lines.js";
import { exists, hasContent } from "../platform/files.js";
import { outputPaths, type OutputPaths } from "./output-paths.js";

/** More than any first line of ours that must be told from others'. */
const FIRST_LINE_BYTES = 1_073_741_824;
const SUMS_LINE_CHARS = 25;

/**
 * Refuses to touch a file beside the output that holds something else than its name says, such as
 * records that somebody mended.
 *
 * @param explained whether a manifest says that a run wrote here: then a file may be damaged
 * @throws RankmillError `conflict` that names the file
 */
export async function refuseForeignFiles(
  { output, partial, rankings, failed, sums }: OutputPaths,
  explained: boolean,
): Promise<void> {
  if (await exists(outputPaths(failed).manifest)) {
    throw foreign(output, failed, "is the output of another run");
  }
  const kind = await firstLine(failed, parseFailure);
  if (kind === "other" || (kind === "damaged" && !explained)) {
    throw foreign(output, failed, "holds something else than failed records");
  }
  if ((await firstLine(sums, requireSums)) === "other") {
    throw foreign(output, sums, "holds something else than checksums of rankings");
  }
  if (explained) return;
  for (const path of rankings === output ? [partial] : [partial, rankings]) {
    const found = await firstLine(path, (line) => countLine(line, emptyCounts()));
    if (found !== "ours") throw foreign(output, path, "holds something else than rankings");
  }
}

/**
 * Refuses names that another output has taken: `s` and `s.jsonl` have one manifest.
 *
 * @param before the manifest that lies where this output's would
 * @throws RankmillError `conflict` that names the other output
 */
export async function refuseOtherOutput(
  paths: OutputPaths,
  before: { readonly output: string } | undefined,
): Promise<void> {
  if (before === undefined) return;
  const { output, manifest } = paths;
  const name = basename(before.output);
  if (name === basename(output)) return;
  const other = outputPaths(output.slice(0, -basename(output).length) + name);
  for (const path of [other.output, other.partial, other.lock]) {
    if (!(await exists(path))) continue;
    throw new RankmillError(
      "conflict",
      wording`${option("output")} ${output}: ${basename(manifest)} belongs to the output ${name} beside it: choose another name`,
    );
  }
}

/**
 * The origin of a file, told by its first line.
 *
 * @returns *ours*: `parse` takes it, or there is none; *damaged*: it is no JSON; *other*: it is something else
 */
async function firstLine(
  path: string,
  parse: (line: string) => unknown,
): Promise<"ours" | "damaged" | "other"> {
  if (!(await hasContent(path))) return "ours";
  const source = createReadStream(path);
  try {
    for await (const line of readLines(source, { maxLineBytes: FIRST_LINE_BYTES })) {
      return line.status === "line" ? kindOf(line.text, parse) : "damaged";
    }
    return "ours";
  } finally {
    source.destroy();
  }
}

/** A damaged first line is one all the same: anything else would not be of this length. */
function requireSums(line: string): void {
  if (line.length > SUMS_LINE_CHARS) throw new RangeError("not a line of sums");
}

function kindOf(line: string, parse: (line: string) => unknown): "ours" | "damaged" | "other" {
  try {
    parse(line);
    return "ours";
  } catch (error) {
    return error instanceof SyntaxError ? "damaged" : "other";
  }
}

function foreign(output: string, path: string, why: string): RankmillError {
  return new RankmillError(
    "conflict",
    wording`${option("output")} ${output}: ${path} is in the way, it ${why}: choose another output, or move it`,
  );
}
