import type { OptionGroup } from "./option-spec.js";

/** A model that is fetched by the command that needs it. */
export const FETCH = {
  title: "Download",
  options: {
    pull: {
      flags: "--pull",
      type: "flag",
      description:
        "fetch the model first if it is not here; on a terminal a question asks for that",
    },
  },
} as const satisfies OptionGroup;
