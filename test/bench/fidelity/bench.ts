import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  ARCHITECTURES,
  FILE_OF,
  FP32_TOLERANCE,
  measureFidelity,
  type Fidelity,
  type FidelityWay,
} from "../../support/fidelity.js";
import { fixtureFolder } from "../../support/lanes.js";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { print, printTable } from "../support/print.js";

/** By the names of the table. */
const WAYS: Readonly<Record<string, FidelityWay>> = {
  fp32: { precision: "fp32" },
  fp16: { precision: "fp16" },
  "int8 (file)": { precision: "int8" },
  "int8-rows": { precision: "int8", form: "rows" },
  "w8-made": { precision: "fp32", form: "made" },
};
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
      for (const [numbers, way] of Object.entries(WAYS)) {
        const onnxPath = join(fixtureFolder(model), "onnx", FILE_OF[way.precision]);
        if (!existsSync(onnxPath)) continue;
        const found = await measureFidelity(model, way, cacheDir);
        failed ||= isWrong(found, numbers);
        if (values.json) print(JSON.stringify({ model, numbers, ...found }));
        rows.push([model, numbers, ...cellsOf(found)]);
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
        "numbers",
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

function isWrong(found: Fidelity, numbers: string): boolean {
  const furthest = Math.max(found.logitDifference ?? 0, found.preparedDifference);
  const tolerance = numbers === "fp32" ? FP32_TOLERANCE : Number.MAX_VALUE;
  return found.differentIds > 0 || !(furthest <= tolerance);
}

function cellsOf(found: Fidelity): string[] {
  return [
    String(found.pairs),
    found.lengths.join("–"),
    String(found.differentIds),
    found.logitDifference?.toExponential(FEW_DIGITS) ?? "",
    found.preparedDifference.toExponential(FEW_DIGITS),
    String(found.preparedOtherBits ?? ""),
  ];
}
