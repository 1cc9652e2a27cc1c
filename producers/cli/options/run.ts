import { DEFAULT_RUN_TTL_SECONDS } from "../../../src/core/run-ttl.js";
import type { OptionGroup } from "./option-spec.js";

/** A submitted run: its name, its place, its end. */
export const RUN = {
  title: "Run",
  options: {
    runId: {
      flags: "--run <id>",
      type: "text",
      computedDefault: "made from the input and the settings",
      description: "name of the run",
    },
    spool: {
      flags: "--spool <dir|url>",
      env: "RANKMILL_SPOOL",
      type: "text",
      description:
        "folder or s3://bucket/prefix that holds runs and is shared by submitters and runners",
    },
    limit: {
      flags: "--limit <n>",
      type: "integer",
      min: 1,
      default: 20,
      unit: "runs",
      description: "most runs to list, the newest first",
    },
    runTtl: {
      flags: "--run-ttl <n>",
      env: "RANKMILL_RUN_TTL",
      type: "integer",
      min: 60,
      default: DEFAULT_RUN_TTL_SECONDS,
      unit: "seconds",
      description: "time for which Redis keeps the run and its rankings",
    },
    maxRuns: {
      flags: "--max-runs <n>",
      env: "RANKMILL_MAX_RUNS",
      type: "integer",
      min: 1,
      default: 4,
      unit: "runs",
      description: "most runs that one runner owns at once",
    },
    wait: { flags: "--wait", type: "flag", description: "wait until the run is over" },
    watch: {
      flags: "--watch",
      type: "flag",
      description: "show progress until the run is over, then print",
    },
    force: {
      flags: "--force",
      type: "flag",
      description: "cancel the run first if it is under way",
    },
    export: {
      flags: "--export <file>",
      type: "text",
      description: "file for the failed records as they were given; - for standard output",
    },
  },
} as const satisfies OptionGroup;
