import { parseArgs } from "node:util";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { print, printTable, say } from "../support/print.js";
import type { Shape } from "./input.js";
import { MEMORY_HEAD, measureMemory } from "./memory.js";

const USAGE = `runs: memory of Redis, owner and worker under runs of a million pairs
  --only A,B,…       of small, large
  --documents N      only runs of N documents a job (10 or 500)`;

export const runsBench: Bench = { usage: USAGE, run };

/** The large runs ask for a million pairs; the small ones show that memory does not follow. */
const SHAPES: Readonly<Record<"small" | "large", readonly Shape[]>> = {
  small: [
    { jobs: 10_000, documents: 10 },
    { jobs: 200, documents: 500 },
  ],
  large: [
    { jobs: 100_000, documents: 10 },
    { jobs: 2_000, documents: 500 },
  ],
};

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: "string" }, documents: { type: "string" } },
  });
  const only = values.only?.split(",");
  const documents = values.documents === undefined ? undefined : Number(values.documents);
  print(`${describeHost()}\n`);
  const shapes = [
    ...(only?.includes("small") === false ? [] : SHAPES.small),
    ...(only?.includes("large") === false ? [] : SHAPES.large),
  ]
    .filter((shape) => documents === undefined || shape.documents === documents)
    .sort((a, b) => a.documents - b.documents);
  const rows: string[][] = [];
  for (const shape of shapes) {
    say(`${shape.jobs} jobs × ${shape.documents} documents`);
    rows.push(await measureMemory(shape));
  }
  printTable(MEMORY_HEAD, rows);
  return 0;
}
