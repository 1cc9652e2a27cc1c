import type { InputHash } from "../core/ports/record-source.js";
import type { Limits } from "../core/contract.js";
import { readRecord, type InputRecord, type ToJob } from "../core/record.js";
import { countLines, readLines, type ByteSource } from "./read/lines.js";
import { openInput, type OpenedInput } from "./read/open-input.js";
import {
  detectLineFormat,
  fromFlagEmbedding,
  fromOpenAiBatch,
  fromSinglePair,
  toJobLine,
  type Conversion,
} from "./formats/pairs.js";
import type { RecordSource } from "../core/ports/record-source.js";

/** Shapes of a line of JSONL; `auto` tells each line's own by its fields. */
export const INPUT_FORMATS = ["auto", "job", "openai-batch", "pair", "flagembedding"] as const;
export type InputFormat = (typeof INPUT_FORMATS)[number];

export interface JsonLinesOptions {
  readonly limits: Limits;
  /** For records that name no top_n of their own; undefined: all. */
  readonly topN: number | undefined;
  readonly format: InputFormat;
  /** Called once a field that the contract does not know and that is ignored. */
  readonly onIgnoredField: (field: string, line: number) => void;
  /** Called once a model that a line asks for: one run has one model, whatever its lines say. */
  readonly onNamedModel: (model: string, line: number) => void;
}

/** JSONL from a file or from standard input. */
export class JsonLinesSource implements RecordSource {
  readonly #path: string;
  readonly #opened: OpenedInput;
  readonly #options: JsonLinesOptions;

  private constructor(path: string, opened: OpenedInput, options: JsonLinesOptions) {
    this.#path = path;
    this.#opened = opened;
    this.#options = options;
  }

  /** @throws RankmillError `input_unusable` for a file that cannot be read */
  static async open(
    path: string,
    stdin: AsyncIterable<Uint8Array | string>,
    options: JsonLinesOptions,
  ): Promise<JsonLinesSource> {
    return new JsonLinesSource(path, await openInput(path, { stdin }), options);
  }

  read(doneIds: ReadonlySet<string>): AsyncIterable<InputRecord> {
    return readJsonRecords(this.#opened.chunks, { ...this.#options, doneIds });
  }

  async count(): Promise<number | undefined> {
    if (this.#path === "-") return undefined;
    const { chunks } = await openInput(this.#path);
    return await countLines(chunks, { maxLineBytes: this.#options.limits.maxJobBytes });
  }

  async addTo(hash: InputHash): Promise<boolean> {
    if (this.#path === "-") return false;
    const { chunks } = await openInput(this.#path);
    for await (const chunk of chunks) hash.update(chunk);
    return true;
  }

  async close(): Promise<void> {
    await this.#opened.close();
  }
}

/** Reads JSONL as records; a line that cannot be one is reported in its place. */
export async function* readJsonRecords(
  source: ByteSource,
  options: JsonLinesOptions & { readonly doneIds: ReadonlySet<string> },
): AsyncGenerator<InputRecord, void, undefined> {
  const { limits, topN, doneIds, onIgnoredField, onNamedModel } = options;
  const ids = new Set<string>();
  const ignored = new Set<string>();
  const models = new Set<string>();
  const seen = (id: string): boolean => {
    const known = ids.has(id);
    ids.add(id);
    return known;
  };
  const convert = conversionOf(options.format);
  let at = 0;
  const toJob: ToJob = (value) => {
    const converted = convert(value);
    const model = converted.status === "converted" ? converted.model : undefined;
    if (model !== undefined && !models.has(model)) onNamedModel(model, at);
    if (model !== undefined) models.add(model);
    return converted;
  };
  for await (const line of readLines(source, { maxLineBytes: limits.maxJobBytes })) {
    const { lineNumber } = line;
    at = lineNumber;
    if (line.status === "unreadable") {
      const { code, message, head } = line;
      yield {
        status: "invalid",
        failure: { line: lineNumber, code, reason: message, input: head },
      };
      continue;
    }
    const bytes = Buffer.byteLength(line.text);
    const record = readRecord(lineNumber, line.text, bytes, limits, topN, seen, toJob);
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

function conversionOf(format: InputFormat): (value: unknown) => Conversion {
  switch (format) {
    case "openai-batch":
      return fromOpenAiBatch;
    case "pair":
      return fromSinglePair;
    case "flagembedding":
      return flagEmbeddingOnly;
    case "job":
      return asJob;
    case "auto":
    default:
      // What has no known shape is held against the contract, whose errors say what is missing.
      return (value) => (detectLineFormat(value) === "unknown" ? asJob(value) : toJobLine(value));
  }
}

function asJob(value: unknown): Conversion {
  return { status: "converted", job: value as { query: unknown; documents: unknown }, ignored: [] };
}

/** A line of another shape would otherwise be one without documents. */
function flagEmbeddingOnly(value: unknown): Conversion {
  if (detectLineFormat(value) === "flag_embedding") return fromFlagEmbedding(value);
  const message = 'pos and neg: are missing ("query", "pos" and "neg" are read)';
  return { status: "unusable", code: "invalid_field", field: "pos", message };
}
