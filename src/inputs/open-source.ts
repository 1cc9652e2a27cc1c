import { stat } from "node:fs/promises";
import type { Limits } from "../core/contract.js";
import { RankmillError } from "../core/errors.js";
import type { OutputFormat } from "../core/output-format.js";
import { CollectionSource } from "./collection/collection-source.js";
import { JsonLinesSource, type InputFormat } from "./json-lines.js";
import type { RecordSource } from "../core/ports/record-source.js";
import { fitForTrec } from "./trec-fit.js";
import { option, wording } from "../core/wording.js";

/** What is read: lines of JSONL, or a collection and a first-stage run over it. */
export interface InputChoice {
  /** A file, `-` for standard input, or the folder of a collection. */
  readonly input: string;
  readonly format: InputFormat;
  readonly firstStage: string | undefined;
  readonly depth: number | undefined;
  readonly split: string | undefined;
  readonly docFields: readonly string[];
  readonly indexDir: string;
}

export interface SourceOptions {
  readonly limits: Limits;
  readonly topN: number | undefined;
  readonly outputFormat: OutputFormat;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  /** Called with what a user should know and need not act on. */
  readonly onNote: (text: string) => void;
  /** Names of the model that scores, for lines that name one themselves; asked while reading. */
  readonly modelNames: () => readonly string[];
}

/**
 * Opens what the records of a run come from.
 *
 * @throws RankmillError `input_unusable` for an input that cannot be read, or options that do not fit it
 */
export async function openSource(
  choice: InputChoice,
  options: SourceOptions,
): Promise<RecordSource> {
  const { limits, topN, outputFormat, stdin, onNote, modelNames } = options;
  const source = (await isFolder(choice.input))
    ? await openCollection(choice, options)
    : await JsonLinesSource.open(checkLines(choice), stdin, {
        limits,
        topN,
        // The scores go back into lines of this shape: no other can take them.
        format: outputFormat === "flagembedding" ? "flagembedding" : choice.format,
        onIgnoredField: (field, line) =>
          onNote(`line ${line}: unknown field "${field}" is ignored`),
        onNamedModel: (model, line) => {
          const names = modelNames();
          if (names.includes(model)) return;
          onNote(`line ${line} asks for model "${model}": scored with ${names[0] ?? ""}`);
        },
      });
  if (outputFormat !== "trec") return source;
  return {
    read: (doneIds) => fitForTrec(source.read(doneIds)),
    count: () => source.count(),
    addTo: (hash) => source.addTo(hash),
    close: () => source.close(),
  };
}

async function openCollection(
  choice: InputChoice,
  { limits, topN, outputFormat, onNote }: SourceOptions,
): Promise<RecordSource> {
  const { input: folder, firstStage, depth, split, docFields, indexDir } = choice;
  if (firstStage === undefined) {
    throw new RankmillError(
      "invalid_option",
      wording`${option("input")} ${folder} is a folder: give the candidates of its queries with ${option("firstStage")} RUN.trec`,
    );
  }
  if (firstStage === "-") {
    throw new RankmillError(
      "invalid_option",
      wording`${option("firstStage")}: is read more than once: give a file`,
    );
  }
  if (outputFormat === "flagembedding") {
    throw new RankmillError(
      "invalid_option",
      wording`${option("outputFormat")} flagembedding: writes scores back into lines of ${option("input")}, which is a folder`,
    );
  }
  return await CollectionSource.open({
    folder,
    firstStage,
    depth,
    split,
    docFields,
    indexDir,
    limits,
    topN,
    onNote,
  });
}

/** @throws RankmillError `invalid_option` for options that mean nothing for a file of lines */
function checkLines({ input, firstStage, depth, split }: InputChoice): string {
  for (const [name, value] of Object.entries({ firstStage, depth, split })) {
    if (value === undefined) continue;
    throw new RankmillError(
      "invalid_option",
      wording`${option(name)}: needs the folder of a collection as ${option("input")}, and ${input} is none`,
    );
  }
  return input;
}

export async function isFolder(path: string): Promise<boolean> {
  if (path === "-") return false;
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
