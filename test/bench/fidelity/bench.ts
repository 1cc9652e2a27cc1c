import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ARCHITECTURES, FP32_TOLERANCE, measureFidelity } from "../../support/fidelity.js";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { print, printTable } from "../support/print.js";

const PRECISIONS = ["fp32", "fp16", "int8"] as const;
const FEW_DIGITS = 1;

export const fidelityBench: Bench = {
  usage: `fidelity: ids and logits of each architecture against the framework that made it
  --json             one line a row instead of a table`,
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: "boolean", default: false } },
  });
  const cacheDir = await mkdtemp(join(tmpdir(), "rankmill-fidelity-"));
  const rows: string[][] = [];
  let failed = false;
  if (!values.json) print(describeHost());
  try {
    for (const model of ARCHITECTURES) {
      for (const precision of PRECISIONS) {
        const found = await measureFidelity(model, precision, cacheDir);
        const furthest = Math.max(found.logitDifference, found.preparedDifference);
        failed ||= found.differentIds > 0 || !Number.isFinite(furthest);
        failed ||= precision === "fp32" && furthest > FP32_TOLERANCE;
        if (values.json) print(JSON.stringify({ model, precision, ...found }));
        rows.push([
          model,
          precision,
          String(found.pairs),
          found.lengths.join("–"),
          String(found.differentIds),
          found.logitDifference.toExponential(FEW_DIGITS),
          found.preparedDifference.toExponential(FEW_DIGITS),
          String(found.preparedOtherBits),
        ]);
      }
    }
  } finally {
    await rm(cacheDir, { recursive: true, force: true });
  }
  if (!values.json) {
    print("");
    printTable(
      [
        "architecture",
        "precision",
        "pairs",
        "tokens",
        "other ids",
        "logit differs by at most",
        "prepared",
        "prepared, other bits",
      ],
      rows,
    );
  }
  return failed ? 1 : 0;
}
