import type { OutputFormatKind } from "../../core/ports/output-format.js";

/** One ranking per line, as `docs/schema/ranking.v1.json` has it. */
export const jsonl = {
  name: "jsonl",
  open: () => ({ name: "jsonl", textOf: (ranking) => `${ranking}\n` }),
} as const satisfies OutputFormatKind;
