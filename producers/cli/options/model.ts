import { DEFAULT_MAX_SCORE_ERROR } from "../../../src/core/choose-way.js";
import { PRECISION_CHOICES, type Precision } from "../../../src/core/precision.js";
import { INT8_FORMS } from "../../../src/core/forms/int8-forms.js";
import { TOKENIZER_CHOICES } from "../../../src/tokenizers/kinds/registry.js";
import { pick, type GroupValues, type OptionGroup } from "./option-spec.js";

/** The model that scores, and the files it is run from. */
export const MODEL = {
  title: "Model",
  options: {
    model: {
      flags: "--model <name|dir>",
      env: "RANKMILL_MODEL",
      type: "text",
      description: 'model that scores: a name or alias ("rankmill models list") or a folder',
    },
    precision: {
      flags: "--precision <precision>",
      env: "RANKMILL_PRECISION",
      type: "choice",
      choices: PRECISION_CHOICES,
      computedDefault: "fp32; on CUDA fp16",
      description: "number format; each has other scores; auto is measured",
    },
    maxScoreError: {
      flags: "--max-score-error <share>",
      env: "RANKMILL_MAX_SCORE_ERROR",
      type: "number",
      min: 0,
      max: 1,
      computedDefault: String(DEFAULT_MAX_SCORE_ERROR),
      description:
        "largest error of --precision auto: difference of a logit from fp32's, as a share of the spread of fp32's logits",
    },
    int8Form: {
      flags: "--int8-form <form>",
      env: "RANKMILL_INT8_FORM",
      type: "choice",
      choices: INT8_FORMS,
      computedDefault: "rows; file with --no-prepare",
      description:
        "scales of dynamic int8: rows has one per row of activations, which errs half as much; file has the file's own, for scores equal to other software's",
    },
    modelsDir: {
      flags: "--models-dir <dir>",
      env: "RANKMILL_MODELS_DIR",
      type: "text",
      computedDefault: "~/.cache/rankmill/models",
      description: "folder of pulled models",
    },
    preparedDir: {
      flags: "--prepared-dir <dir>",
      env: "RANKMILL_PREPARED_DIR",
      type: "text",
      computedDefault: "~/.cache/rankmill/prepared",
      description: "folder for models compiled for this host, 1.5 to 2 times a model's size",
    },
    prepare: {
      flags: "--no-prepare",
      type: "flag",
      description: "run the model's own files; each lane then holds a copy of the weights",
    },
    tokenizer: {
      flags: "--tokenizer <kind>",
      env: "RANKMILL_TOKENIZER",
      type: "choice",
      choices: TOKENIZER_CHOICES,
      default: "auto",
      description:
        "code that splits texts into tokens; auto takes rankmill's own for XLM-R models, else the first package that is installed",
    },
  },
} as const satisfies OptionGroup;

/** The part of the options that finds a model. */
export const FIND_MODEL = pick(MODEL, "model", "precision", "int8Form", "modelsDir");
/** A model as it was asked for: the precision may be left to measuring. */
export type AskedModelValues = GroupValues<typeof FIND_MODEL>;
/** A model whose precision is settled. */
export type FindModelValues = Omit<AskedModelValues, "precision"> & {
  readonly precision: Precision | undefined;
};
