import { parseArgs } from "node:util";
import { join } from "node:path";
import { existsSync } from "node:fs";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { modelsFolder } from "../support/places.js";
import { print, printTable, say } from "../support/print.js";
import { measureEventLoop } from "./event-loop.js";
import { measureImport } from "./import.js";
import { measureThroughput } from "./throughput.js";

const USAGE = `jobs: jobs per second, delay of the worker's event loop, weight of the client
  --only A,B,…       of throughput, event-loop, import
  --models DIR       for event-loop: synthetic models (RANKMILL_BENCH_MODELS)`;

export const jobsBench: Bench = { usage: USAGE, run };

/** The measurements, by the name that --only knows. */
const PARTS = {
  throughput: async (): Promise<void> => {
    printTable(
      ["server", "jobs", "documents a job", "seconds", "jobs/s"],
      [...(await measureThroughput("redis-server")), ...(await measureThroughput("js"))],
    );
  },
  "event-loop": async (models: string): Promise<void> => {
    const folder = join(models, "bge-reranker-v2-m3");
    if (!existsSync(join(folder, "onnx/model_int8.onnx"))) {
      say(`event-loop is left out: no bge-reranker-v2-m3 in ${models}; see the bench "engine"`);
      return;
    }
    printTable(
      [
        "worker's event loop",
        "jobs",
        "seconds",
        "median ms",
        "99 % ms",
        "highest ms",
        "highest ms of an idle thread",
      ],
      await measureEventLoop(folder),
    );
  },
  import: async (): Promise<void> => {
    printTable(["client", "import ms", "MB more", "MB resident"], await measureImport());
  },
} as const;

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: "string" }, models: { type: "string" } },
  });
  const only = values.only?.split(",");
  const models = modelsFolder(values.models);
  print(`${describeHost()}\n`);
  for (const [name, measurePart] of Object.entries(PARTS)) {
    if (only?.includes(name) ?? true) await measurePart(models);
  }
  return 0;
}
