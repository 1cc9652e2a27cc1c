import { execFileSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { DIST } from "../support/places.js";
import { median } from "../support/statistics.js";

const REPETITIONS = 7;

const PROGRAM = `
const before = process.memoryUsage.rss();
const started = performance.now();
await import(${JSON.stringify(pathToFileURL(join(DIST, "src/index.js")).href)});
const ms = performance.now() - started;
const rss = process.memoryUsage.rss();
console.log(JSON.stringify({ ms, more: rss - before, rss }));
`;

/** The cost of importing the client in a fresh process; medians. */
export function measureImport(): Promise<string[][]> {
  const runs = Array.from(
    { length: REPETITIONS },
    () =>
      JSON.parse(
        execFileSync(process.execPath, ["--input-type=module", "--eval", PROGRAM], {
          encoding: "utf8",
        }),
      ) as { ms: number; more: number; rss: number },
  );
  const middle = (of: "ms" | "more" | "rss"): number => median(runs.map((run) => run[of]));
  const row = [
    "dist/src/index.js",
    middle("ms").toFixed(0),
    (middle("more") / 1e6).toFixed(0),
    (middle("rss") / 1e6).toFixed(0),
  ];
  return Promise.resolve([row]);
}
