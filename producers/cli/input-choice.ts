import { RankmillError } from "../../src/core/errors.js";
import type { RankingsForm } from "../../src/outputs/export-rankings.js";
import type { OutputFormat } from "../../src/core/output-format.js";
import type { RunSettings } from "../../src/outputs/manifest.js";
import { isFolder, type InputChoice } from "../../src/inputs/open-source.js";
import { indexDir } from "./context.js";
import type { Values } from "./option-values.js";
import type { OptionName } from "./options.js";

/** The options that say what is read, of every command that reads records. */
export const INPUT_OPTION_NAMES = [
  "input",
  "inputFormat",
  "firstStage",
  "depth",
  "split",
  "docFields",
  "indexDir",
] as const satisfies readonly OptionName[];

/** The options that say how rankings are written. */
export const OUTPUT_OPTION_NAMES = [
  "outputFormat",
  "tag",
  "keepRest",
] as const satisfies readonly OptionName[];

export function inputChoice(
  input: string,
  values: Values<(typeof INPUT_OPTION_NAMES)[number]>,
): InputChoice {
  const docFields = values.docFields.split(",").map((name) => name.trim());
  if (docFields.includes("")) {
    throw new RankmillError(
      "invalid_option",
      `--doc-fields: "${values.docFields}" names an empty field`,
    );
  }
  return {
    input,
    format: values.inputFormat as InputChoice["format"],
    firstStage: values.firstStage,
    depth: values.depth,
    split: values.split,
    docFields,
    indexDir: indexDir(values.indexDir),
  };
}

/** What of an input, beside its records, the rankings depend on. */
export async function sourceSettings(
  choice: InputChoice,
): Promise<Pick<RunSettings, "depth" | "docFields">> {
  if (!(await isFolder(choice.input))) return { depth: null, docFields: null };
  return { depth: choice.depth ?? null, docFields: choice.docFields.join(",") };
}

/** @throws RankmillError `invalid_option` for a form that this input or output cannot have */
export function rankingsForm(
  output: string,
  choice: InputChoice,
  values: Values<(typeof OUTPUT_OPTION_NAMES)[number] | "topN">,
): RankingsForm {
  const format = values.outputFormat as OutputFormat;
  const keepRest = values.keepRest === true;
  if (keepRest && (format !== "trec" || choice.firstStage === undefined || output === "-")) {
    throw new RankmillError(
      "invalid_option",
      "--keep-rest: needs --first-stage, --output-format trec, and an --output that is a file",
    );
  }
  if (format === "jsonl") return { format };
  if (format === "trec") {
    if (/\s/.test(values.tag) || values.tag === "") {
      throw new RankmillError(
        "invalid_option",
        `--tag: "${values.tag}" is empty or has white space`,
      );
    }
    return { format, tag: values.tag, firstStage: choice.firstStage, keepRest };
  }
  if (output === "-" || choice.input === "-") {
    throw new RankmillError(
      "invalid_option",
      "--output-format flagembedding: writes scores back into the lines of --input: both must be files",
    );
  }
  if ((values.topN ?? 0) !== 0) {
    throw new RankmillError(
      "invalid_option",
      "--output-format flagembedding: scores all, so no --top-n",
    );
  }
  if (choice.format !== "auto" && choice.format !== "flagembedding") {
    throw new RankmillError(
      "invalid_option",
      `--output-format flagembedding: reads --input-format flagembedding, not ${choice.format}`,
    );
  }
  return { format, input: choice.input };
}
