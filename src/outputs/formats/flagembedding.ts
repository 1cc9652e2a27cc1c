import { membersOf } from "../../core/json-text.js";
import type { ParsedLine } from "../../core/ports/input-format.js";
import { RankmillError } from "../../core/errors.js";
import type {
  OutputChoice,
  OutputFormat,
  OutputFormatKind,
} from "../../core/ports/output-format.js";
import { flagEmbedding as lines } from "../../inputs/formats/flagembedding.js";
import { isObject } from "../../inputs/formats/line-fields.js";
import { parseJsonLine } from "../../inputs/read/lines.js";
import { readTextRecords } from "../../inputs/read/text-layout.js";
import { withIds } from "../../inputs/formats/with-ids.js";
import { openInput } from "../../inputs/read/open-input.js";
import { RankingIndex } from "./ranking-index.js";
import { option, wording, type Wording } from "../../core/wording.js";

/** The input's own lines, in their order, with `pos_scores` and `neg_scores`. */
export const flagEmbedding = { name: "flagembedding", open } as const satisfies OutputFormatKind;

function open({ output, input, inputFormat, topN }: OutputChoice): OutputFormat {
  if (input.kind === "folder") {
    throw refusal(wording`writes scores back into lines of ${option("input")}, which is a folder`);
  }
  if (output === "-" || input.kind === "stream") {
    throw refusal(
      wording`writes scores back into the lines of ${option("input")}: both must be files`,
    );
  }
  if ((topN ?? 0) !== 0) throw refusal(wording`scores all, so no ${option("topN")}`);
  if (inputFormat !== "auto" && inputFormat !== lines.name) {
    throw refusal(wording`reads ${option("inputFormat")} ${lines.name}, not ${inputFormat}`);
  }
  return {
    name: flagEmbedding.name,
    inputFormat: lines.name,
    convert: (rankingsPath) => convert(rankingsPath, input.path),
  };
}

async function* convert(rankingsPath: string, input: string): AsyncGenerator<string> {
  const rankings = await RankingIndex.open(rankingsPath);
  // The first of several lines with one id is the one that was ranked.
  const written = new Set<string>();
  try {
    const { chunks } = await openInput(input);
    for await (const read of readTextRecords(chunks, { maxLineBytes: Number.MAX_SAFE_INTEGER })) {
      const line = read.status === "line" ? parseJsonLine(read) : read;
      if (line.status !== "parsed" || !isObject(line.value) || !lines.detect(line.value)) continue;
      const conversion = lines.toRequest(line.value);
      if (conversion.status !== "converted") continue;
      const { id } = withIds(conversion.request, line.lineNumber);
      if (typeof id !== "string" || written.has(id)) continue;
      const results = await rankings.resultsOf(id);
      if (results === undefined) continue;
      written.add(id);
      yield `${rewritten(line.text, line.value, lines.writeBack(line.value, results))}\n`;
    }
  } finally {
    await rankings.close();
  }
}

/** The line with what was written back; every other member as its text was. */
function rewritten(text: string, before: ParsedLine, after: ParsedLine): string {
  const members = membersOf(text);
  const parts = Object.entries(after).map(([name, value]) => {
    const given = value === before[name] ? members.get(name) : undefined;
    return `${JSON.stringify(name)}:${given ?? JSON.stringify(value)}`;
  });
  return `{${parts.join(",")}}`;
}

function refusal(why: Wording): RankmillError {
  return new RankmillError(
    "invalid_option",
    wording`${option("outputFormat")} ${flagEmbedding.name}: ${why}`,
  );
}
