/** Every form of an output. A new one is a file beside this and a line in `FORMATS`. */
import { RankmillError } from "../../core/errors.js";
import type {
  OutputChoice,
  OutputFormat,
  OutputFormatKind,
} from "../../core/ports/output-format.js";
import { flagEmbedding } from "./flagembedding.js";
import { jsonl } from "./jsonl.js";
import { keepRestNeeds, trec } from "./trec.js";

const FORMATS = [jsonl, trec, flagEmbedding] as const;

export type OutputFormatName = (typeof FORMATS)[number]["name"];

/** Values of `--output-format`. */
export const OUTPUT_FORMATS: readonly OutputFormatName[] = FORMATS.map(({ name }) => name);

/** JSON lines: the form of every output that was not asked for another. */
export const JSON_LINES: OutputFormat = jsonl.open();

/** The kinds themselves, for whatever must hold of each. */
export function outputFormats(): readonly OutputFormatKind[] {
  return FORMATS;
}

/** @throws RankmillError `invalid_option` for a form that is not known, or that this choice cannot have */
export function openOutputFormat(name: string, choice: OutputChoice): OutputFormat {
  const kind: OutputFormatKind | undefined = FORMATS.find((format) => format.name === name);
  if (kind === undefined) {
    const known = OUTPUT_FORMATS.join(", ");
    throw new RankmillError("invalid_option", `output format "${name}" is not known: ${known} are`);
  }
  if (choice.keepRest && kind !== trec) throw keepRestNeeds();
  return kind.open(choice);
}
