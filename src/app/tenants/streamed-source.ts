import type { Limits } from "../../core/contract.js";
import { RankmillError } from "../../core/errors.js";
import type { RefuseLine } from "../../core/ports/input-container.js";
import type { RecordSource } from "../../core/ports/record-source.js";
import type { InputRecord } from "../../core/record.js";
import type { InputFormatName } from "../../inputs/formats/registry.js";
import { openSource } from "../../inputs/open-source.js";
import { boundBytes, boundRecords } from "./bound-records.js";

/** Notes that a caller is told of one input. */
const MAX_NOTES = 20;

export interface StreamedInput {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly format: InputFormatName;
  readonly topN: number | undefined;
  /** The model that scores it: lines that ask for another are noted. */
  readonly modelNames: readonly string[];
  readonly refuseLine?: RefuseLine;
}

/** The bounds of what callers send. */
export interface StreamBounds {
  readonly limits: Limits;
  /** Of a body, and of what it holds once it is inflated. */
  readonly maxUploadBytes: number;
}

/** The records of a stream, and what its sender should know of it. */
export interface StreamedSource {
  readonly source: RecordSource;
  readonly notes: readonly string[];
}

/**
 * Opens JSON lines that come over a connection, plain, gzip or zstd. They are read once, as fast as they are
 * taken, and a few lines of them are in memory.
 *
 * @throws RankmillError `input_unusable` if the first lines hold no record; `limit_exceeded`
 */
export async function openStream(
  { chunks, format, topN, modelNames, refuseLine }: StreamedInput,
  { limits, maxUploadBytes }: StreamBounds,
): Promise<StreamedSource> {
  const notes: string[] = [];
  const choice = { input: "-", format, firstStage: undefined, depth: undefined, split: undefined };
  try {
    const source = await openSource(
      { ...choice, docFields: [], indexDir: "" },
      {
        limits,
        topN,
        stdin: boundBytes(chunks, maxUploadBytes),
        onNote: (text) => {
          if (notes.length < MAX_NOTES) notes.push(text);
        },
        modelNames: () => modelNames,
        refuseLine,
      },
    );
    return { source: withBodyErrors(boundRecords(source, maxUploadBytes)), notes };
  } catch (error) {
    throw asBodyError(error);
  }
}

function withBodyErrors(source: RecordSource): RecordSource {
  return {
    read: (doneIds) => named(source.read(doneIds)),
    count: () => source.count(),
    addTo: (hash) => source.addTo(hash),
    close: () => source.close(),
  };
}

async function* named(
  records: AsyncIterable<InputRecord>,
): AsyncGenerator<InputRecord, void, undefined> {
  try {
    yield* records;
  } catch (error) {
    throw asBodyError(error);
  }
}

/** Whoever sends a body has no standard input. */
function asBodyError(error: unknown): unknown {
  if (!(error instanceof RankmillError) || error.code !== "input_unusable") return error;
  const message = error.message.replace(/^standard input/, "the body");
  return new RankmillError(error.code, message, { cause: error });
}
