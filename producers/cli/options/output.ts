import { OUTPUT_FORMATS } from "../../../src/outputs/formats/registry.js";
import { pick, type GroupValues, type OptionGroup } from "./option-spec.js";

/** The rankings that a command writes. */
export const OUTPUT = {
  title: "Output",
  options: {
    output: {
      flags: "--output <file>",
      type: "text",
      description: "file for the rankings; - for standard output",
    },
    outputFormat: {
      flags: "--output-format <format>",
      type: "choice",
      choices: OUTPUT_FORMATS,
      default: "jsonl",
      description:
        "form of the rankings: JSONL, a TREC run, or FlagEmbedding's lines with pos_scores and neg_scores",
    },
    tag: {
      flags: "--tag <name>",
      type: "text",
      default: "rankmill",
      description: "last column of a TREC run",
    },
    keepRest: {
      flags: "--keep-rest",
      type: "flag",
      description: "append the first stage's other documents below each TREC ranking",
    },
    forceNew: {
      flags: "--force-new",
      type: "flag",
      description: "delete the earlier run at this output and start over",
    },
    dryRun: {
      flags: "--dry-run",
      type: "flag",
      description:
        "count and measure the input, score 200 pairs, and print what the run would take",
    },
    compare: {
      flags: "--compare",
      type: "flag",
      description:
        "with --dry-run: print speed, memory, time and error of every precision and runtime",
    },
  },
} as const satisfies OptionGroup;

export type OutputValues = GroupValues<typeof OUTPUT>;

/** The file alone, for commands that write JSONL only. */
export const OUTPUT_FILE = pick(OUTPUT, "output");
