import { RankmillError } from "../../src/core/errors.js";
import type { InputChoice } from "../../src/core/ports/input-container.js";
import type { OutputFormat } from "../../src/core/ports/output-format.js";
import { placeOf } from "../../src/inputs/open-source.js";
import { openOutputFormat } from "../../src/outputs/formats/registry.js";
import type { RunSettings } from "../../src/outputs/manifest.js";
import { indexDir } from "./context.js";
import type { InputValues } from "./options/input.js";
import type { OutputValues } from "./options/output.js";

export function inputChoice(input: string, values: InputValues): InputChoice {
  const docFields = values.docFields.split(",").map((name) => name.trim());
  if (docFields.includes("")) {
    throw new RankmillError(
      "invalid_option",
      `--doc-fields: "${values.docFields}" names an empty field`,
    );
  }
  return {
    input,
    format: values.inputFormat,
    firstStage: values.firstStage,
    depth: values.depth,
    split: values.split,
    docFields,
    indexDir: indexDir(values.indexDir),
  };
}

/** The settings of an input that the rankings depend on, beside its records. */
export async function sourceSettings(
  choice: InputChoice,
): Promise<Pick<RunSettings, "depth" | "docFields">> {
  if ((await placeOf(choice.input)).kind !== "folder") return { depth: null, docFields: null };
  return { depth: choice.depth ?? null, docFields: choice.docFields.join(",") };
}

/** @throws RankmillError `invalid_option` for a form that this input or output cannot have */
export async function outputFormat(
  output: string,
  choice: InputChoice,
  values: OutputValues,
  topN: number | undefined,
): Promise<OutputFormat> {
  return openOutputFormat(values.outputFormat, {
    output,
    input: await placeOf(choice.input),
    inputFormat: choice.format,
    firstStage: choice.firstStage,
    topN,
    tag: values.tag,
    keepRest: values.keepRest,
  });
}

/** The choice as an output needs it, whose form may go with one format of lines only. */
export function forOutput(choice: InputChoice, { inputFormat }: OutputFormat): InputChoice {
  return inputFormat === undefined ? choice : { ...choice, format: inputFormat };
}
