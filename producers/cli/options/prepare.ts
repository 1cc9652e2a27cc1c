import type { OptionGroup } from "./option-spec.js";

/** The steps of `models prepare` beside the compilation. */
export const PREPARE = {
  title: "Preparation",
  options: {
    pullFirst: {
      flags: "--pull",
      type: "flag",
      description: "fetch the model first if it is missing",
    },
    calibrateAhead: {
      flags: "--calibrate",
      type: "flag",
      description: "measure the model too, so that workers with as many cores need not",
    },
    fullCheck: {
      flags: "--full-check",
      type: "flag",
      description: "read all prepared files again, even if nothing suggests that they changed",
    },
  },
} as const satisfies OptionGroup;
