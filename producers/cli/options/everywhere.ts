import type { OptionGroup } from "./option-spec.js";

/** The options that every command takes, before its name or after it. */
export const EVERYWHERE = {
  title: "Every command",
  options: {
    config: {
      flags: "--config <file>",
      env: "RANKMILL_CONFIG",
      type: "text",
      computedDefault: "rankmill.toml in the working folder, if there is one",
      description:
        "TOML file with values of options; the environment and the command line win over it",
    },
    color: {
      flags: "--color <when>",
      env: "RANKMILL_COLOR",
      type: "choice",
      choices: ["auto", "always", "never"],
      computedDefault: "auto: on a terminal, unless NO_COLOR is set",
      description: "colour in messages and logs",
    },
  },
} as const satisfies OptionGroup;
