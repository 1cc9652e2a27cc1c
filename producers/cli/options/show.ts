import type { OptionGroup } from "./option-spec.js";

/** How much of a run's output is shown. */
export const SHOW = {
  title: "Rankings",
  options: {
    records: {
      flags: "--records <n>",
      type: "integer",
      min: 1,
      default: 3,
      unit: "records",
      description: "rankings to show, from the first on; not used if ids are named",
    },
    documents: {
      flags: "--documents <n>",
      type: "integer",
      min: 1,
      default: 5,
      unit: "documents",
      description: "documents to show of each ranking, best first",
    },
  },
} as const satisfies OptionGroup;
