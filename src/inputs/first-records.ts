/** The first records of a source, read before any work is done: a wrong file is refused whole, not line by line. */
import { RankmillError } from "../core/errors.js";
import type { RecordSource } from "../core/ports/record-source.js";
import type { InputRecord, RecordFailure } from "../core/record.js";
import { counted } from "../core/counted.js";
import { shapeOfLines } from "./shape-of-lines.js";

/** Lines without a good one among them, after which nobody expects one. */
const HOPELESS_LINES = 100;
/** Failed lines are held until a good one comes; beyond this the file is taken as it is. */
const HELD_CHARS = 16_777_216;
const SHOWN_REASON_CHARS = 300;
const SHOWN_REASONS = 3;

/**
 * Reads ahead up to the first good record.
 *
 * @returns the same source
 * @throws RankmillError `input_unusable` if its first 100 lines hold no good one, or it has none at all
 *   and their shape is known or no line is JSON
 */
export async function withGoodStart(source: RecordSource, input: string): Promise<RecordSource> {
  const records = source.read(new Set())[Symbol.asyncIterator]();
  const held: InputRecord[] = [];
  const failures: RecordFailure[] = [];
  let ended = false;
  let heldChars = 0;
  while (
    failures.length < HOPELESS_LINES &&
    failures.length === held.length &&
    heldChars < HELD_CHARS
  ) {
    const next = await records.next();
    ended = next.done === true;
    if (next.done === true) break;
    held.push(next.value);
    if (next.value.status === "valid") break;
    const { failure } = next.value;
    failures.push(failure);
    heldChars += JSON.stringify(failure.input).length;
  }
  if (failures.length === held.length) refuseHopeless(failures, input, ended);
  return {
    read: (doneIds) => without(doneIds, held, ended ? undefined : records),
    count: () => source.count(),
    addTo: (hash) => source.addTo(hash),
    close: () => source.close(),
  };
}

/** @param ended whether the input has no more than these */
function refuseHopeless(failures: readonly RecordFailure[], input: string, ended: boolean): void {
  const name = input === "-" ? "standard input" : input;
  const shape = shapeOfLines(failures, input === "-" ? "FILE" : input);
  if (shape !== undefined) throw new RankmillError("input_unusable", `${name} ${shape}`);
  const [first] = failures;
  if (first === undefined) return;
  // A record that is refused in a short file fails alone; a text without any JSON is the wrong file.
  const isWrongFile = ended && failures.every(({ code }) => code === "invalid_json");
  if (failures.length < HOPELESS_LINES && !isWrongFile) return;
  const lines = ended ? counted(failures.length, "line") : `first ${failures.length} lines`;
  const hold = failures.length === 1 ? "holds" : "hold";
  const reasons = firstReasons(failures).join("; ");
  throw new RankmillError(
    "input_unusable",
    `${name}: its ${lines} ${hold} no record; ${reasons}. ${SHAPES_READ}`,
  );
}

/** The first reasons that differ, each with its line. */
function firstReasons(failures: readonly RecordFailure[]): string[] {
  const seen = new Map<string, number>();
  for (const { reason, line } of failures) {
    const plain = reason.replace(/^line \d+ /, "").slice(0, SHOWN_REASON_CHARS);
    if (seen.size < SHOWN_REASONS && !seen.has(plain)) seen.set(plain, line);
  }
  return [...seen].map(([reason, line]) => `line ${line}: ${reason}`);
}

const SHAPES_READ =
  'rankmill reads JSON objects, one per line or in an array, with {"id", "query", "documents"}, {"id", "query", "document"}, {"query", "pos", "neg"} or OpenAI\'s batch fields, and CSV or TSV with a header';

async function* without(
  doneIds: ReadonlySet<string>,
  held: readonly InputRecord[],
  rest: AsyncIterator<InputRecord> | undefined,
): AsyncGenerator<InputRecord, void, undefined> {
  const open = (record: InputRecord): boolean =>
    record.status === "invalid" || !doneIds.has(record.request.id);
  try {
    yield* held.filter(open);
    if (rest === undefined) return;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      if (open(next.value)) yield next.value;
    }
  } finally {
    await rest?.return?.();
  }
}
