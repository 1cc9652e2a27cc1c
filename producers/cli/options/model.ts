import { PRECISIONS } from "../../../src/core/precision.js";
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
      choices: PRECISIONS,
      computedDefault: "fp32; on CUDA fp16",
      description: "number format; each gives other scores",
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
export type FindModelValues = GroupValues<typeof FIND_MODEL>;
