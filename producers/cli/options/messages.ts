import { pick, type GroupValues, type OptionGroup } from "./option-spec.js";

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** The lines that a command prints beside its result. */
export const MESSAGES = {
  title: "Logs and reports",
  options: {
    json: { flags: "--json", type: "flag", description: "print figures as JSON" },
    logLevel: {
      flags: "--log-level <level>",
      env: "RANKMILL_LOG_LEVEL",
      type: "choice",
      choices: LOG_LEVELS,
      computedDefault: "info for worker, runner, serve and dashboard, else warn",
      description: "least level of the logs",
    },
    logFormat: {
      flags: "--log-format <format>",
      env: "RANKMILL_LOG_FORMAT",
      type: "choice",
      choices: ["pretty", "json"],
      computedDefault: "pretty on a terminal, else json",
      description: "short lines for people, or one JSON object per line",
    },
  },
} as const satisfies OptionGroup;

/** The level and the format of logs alone, for commands that print no figures. */
export const LOGS = pick(MESSAGES, "logLevel", "logFormat");

export type LogValues = GroupValues<typeof LOGS>;
