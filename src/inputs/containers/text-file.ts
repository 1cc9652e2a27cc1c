import type { Limits } from "../../core/contract.js";
import type { InputContainer, RefuseLine } from "../../core/ports/input-container.js";
import type { InputHash, RecordSource } from "../../core/ports/record-source.js";
import { readRecord, type InputRecord, type ToRequest } from "../../core/record.js";
import { converterOf } from "../formats/registry.js";
import { openInput, type OpenedInput } from "../read/open-input.js";
import type { ByteSource } from "../read/lines.js";
import { countTextRecords, readTextRecords } from "../read/text-layout.js";
import { withIds } from "../formats/with-ids.js";

export interface TextOptions {
  readonly limits: Limits;
  /** The top_n of records that name none; undefined: all. */
  readonly topN: number | undefined;
  readonly format: string;
  /** Called once per field that the contract does not know and that is ignored. */
  readonly refuseLine: RefuseLine | undefined;
  readonly onIgnoredField: (field: string, line: number) => void;
  /** Called once per model that a line asks for: one run has one model, whatever its lines say. */
  readonly onNamedModel: (model: string, line: number) => void;
}

/** Records as text in a file or on a stream: JSON lines, a JSON array, or a table with a header. */
export const textFile: InputContainer = {
  name: "text",
  takes: [],
  holds: ({ kind }) => kind !== "folder",
  open: async ({ input, format }, { limits, topN, stdin, onNote, modelNames, refuseLine }) =>
    await TextSource.open(input, stdin, {
      limits,
      topN,
      format,
      refuseLine,
      onIgnoredField: (field, line) => onNote(`line ${line}: unknown field "${field}" is ignored`),
      onNamedModel: (model, line) => {
        const names = modelNames();
        if (names.includes(model)) return;
        onNote(`line ${line} asks for model "${model}": scored with ${names[0] ?? ""}`);
      },
    }),
};

class TextSource implements RecordSource {
  readonly #path: string;
  readonly #opened: OpenedInput;
  readonly #options: TextOptions;

  private constructor(path: string, opened: OpenedInput, options: TextOptions) {
    this.#path = path;
    this.#opened = opened;
    this.#options = options;
  }

  /** @throws RankmillError `input_unusable` for a file that cannot be read */
  static async open(
    path: string,
    stdin: AsyncIterable<Uint8Array | string>,
    options: TextOptions,
  ): Promise<TextSource> {
    return new TextSource(path, await openInput(path, { stdin }), options);
  }

  read(doneIds: ReadonlySet<string>): AsyncIterable<InputRecord> {
    return readRecords(this.#opened.chunks, { ...this.#options, doneIds });
  }

  async count(): Promise<number | undefined> {
    if (this.#opened.sizeBytes === undefined) return undefined;
    const { chunks } = await openInput(this.#path);
    return await countTextRecords(chunks, { maxLineBytes: this.#options.limits.maxJobBytes });
  }

  async addTo(hash: InputHash): Promise<boolean> {
    if (this.#opened.sizeBytes === undefined) return false;
    const { chunks } = await openInput(this.#path);
    for await (const chunk of chunks) hash.update(chunk);
    return true;
  }

  async close(): Promise<void> {
    await this.#opened.close();
  }
}

/** Reads a text as records; one that cannot be read is reported in its place. */
async function* readRecords(
  source: ByteSource,
  options: TextOptions & { readonly doneIds: ReadonlySet<string> },
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
  const convert = converterOf(options.format);
  let at = 0;
  const toRequest: ToRequest = (value) => {
    const refused = options.refuseLine?.(value);
    if (refused !== undefined) {
      const message = `${refused.field}: ${refused.message}`;
      return { status: "unusable", code: "invalid_field", message };
    }
    const converted = convert(value);
    const model = converted.status === "converted" ? converted.model : undefined;
    if (model !== undefined && !models.has(model)) onNamedModel(model, at);
    if (model !== undefined) models.add(model);
    if (converted.status === "unusable") return converted;
    return { ...converted, request: withIds(converted.request, at) };
  };
  for await (const line of readTextRecords(source, { maxLineBytes: limits.maxJobBytes })) {
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
    const record = readRecord(lineNumber, line.text, bytes, limits, topN, seen, toRequest);
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
