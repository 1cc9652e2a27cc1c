import { DEFAULT_DOC_FIELDS } from "../../../src/inputs/collection/corpus-document.js";
import { INPUT_FORMATS } from "../../../src/inputs/formats/registry.js";
import type { GroupValues, OptionGroup } from "./option-spec.js";

/** The records that a command reads. */
export const INPUT = {
  title: "Input",
  options: {
    input: {
      flags: "--input <path>",
      type: "text",
      description:
        "JSON lines, a JSON array, or CSV or TSV with a header, plain, gzip or zstd; - for standard input; or a collection's folder",
    },
    inputFormat: {
      flags: "--input-format <format>",
      type: "choice",
      choices: INPUT_FORMATS,
      default: "auto",
      description: "shape of the lines; auto recognises each line by its fields",
    },
    firstStage: {
      flags: "--first-stage <file>",
      type: "text",
      description:
        "TREC run with the candidates of each query, plain, gzip or zstd; needs a folder as --input",
    },
    depth: {
      flags: "--depth <n>",
      type: "integer",
      min: 1,
      computedDefault: "all",
      unit: "documents",
      description: "candidates per query to take from the first stage, best scores first",
    },
    split: {
      flags: "--split <name>",
      type: "text",
      computedDefault: "all queries",
      description: "split of a collection; only queries judged in its qrels/<name>.tsv are ranked",
    },
    docFields: {
      flags: "--doc-fields <names>",
      type: "text",
      default: DEFAULT_DOC_FIELDS.join(","),
      description: "fields of a collection's document that make up its text, joined by a space",
    },
    indexDir: {
      flags: "--index-dir <dir>",
      env: "RANKMILL_INDEX_DIR",
      type: "text",
      computedDefault: "~/.cache/rankmill/index",
      description:
        "folder for indexes of collections, 20 bytes per document, and unpacked copies of compressed ones",
    },
  },
} as const satisfies OptionGroup;

export type InputValues = GroupValues<typeof INPUT>;
