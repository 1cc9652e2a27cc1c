import type { Limits } from "../core/contract.js";
import { readRecord, type InputRecord } from "../core/records.js";
import { readLines, type ByteSource } from "./formats/lines.js";

export interface ReadOptions {
  readonly limits: Limits;
  /** For records that name no top_n of their own; undefined: all. */
  readonly topN: number | undefined;
  /** Records that have a ranking already: left out. */
  readonly doneIds: ReadonlySet<string>;
  /** Called once a field that the contract does not know and that is ignored. */
  readonly onIgnoredField: (field: string, line: number) => void;
}

/** Reads JSONL as records; a line that cannot be one is reported in its place. */
export async function* readInput(
  source: ByteSource,
  options: ReadOptions,
): AsyncGenerator<InputRecord, void, undefined> {
  const { limits, topN, doneIds, onIgnoredField } = options;
  const ids = new Set<string>();
  const ignored = new Set<string>();
  const seen = (id: string): boolean => {
    const known = ids.has(id);
    ids.add(id);
    return known;
  };
  for await (const line of readLines(source, { maxLineBytes: limits.maxJobBytes })) {
    const { lineNumber } = line;
    if (line.status === "unreadable") {
      const { code, message, head } = line;
      yield {
        status: "invalid",
        failure: { line: lineNumber, code, reason: message, input: head },
      };
      continue;
    }
    const bytes = Buffer.byteLength(line.text);
    const record = readRecord(lineNumber, line.text, bytes, limits, topN, seen);
    if (record.status === "valid") {
      for (const field of record.ignoredFields) {
        if (!ignored.has(field)) onIgnoredField(field, lineNumber);
        ignored.add(field);
      }
      if (doneIds.has(record.request.id)) continue;
    }
    yield record;
  }
}
