import { MODEL_ORDERS } from "../../../src/models/filter-models.js";
import { USES } from "../../../src/models/recommend.js";
import type { OptionGroup } from "./option-spec.js";

/** The models of the catalogue that are wanted. */
export const CATALOGUE = {
  title: "Catalogue",
  options: {
    language: {
      flags: "--language <code>",
      type: "text",
      description:
        "language that the model must read, as an ISO 639 code (en, de, zh); mul for several",
    },
    licence: {
      flags: "--licence <name>",
      type: "text",
      description:
        'licence of the model: "commercial" for one that was checked and allows commercial use; of a list also a part of its name, of a recommendation also "any"',
    },
    minLength: {
      flags: "--min-length <n>",
      type: "integer",
      min: 1,
      unit: "tokens",
      description: "fewest tokens that the longest pair of the model must have",
    },
    maxSize: {
      flags: "--max-size <n>",
      type: "integer",
      min: 1,
      unit: "millions",
      description: "most parameters that the model may have",
    },
    sort: {
      flags: "--sort <order>",
      type: "choice",
      choices: MODEL_ORDERS,
      computedDefault: "models that are here, then by name",
      description:
        "order of the list: length and quality from the top, size and compute from the bottom",
    },
    published: {
      flags: "--published <model>",
      type: "text",
      description: "catalogued model whose published scores a folder is compared with",
    },
    use: {
      flags: "--for <use>",
      type: "choice",
      choices: USES,
      description: "use of the model: online, if somebody waits for each answer, or bulk",
    },
  },
} as const satisfies OptionGroup;
