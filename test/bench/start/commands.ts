/** The time of commands that do nothing, in multiples of a Node that does nothing. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { DIST } from "../support/places.js";
import { print, printTable } from "../support/print.js";
import { median } from "../support/statistics.js";

const USAGE = `  commands  --version and --help, in multiples of node -e 0
  --repetitions N    starts of each (default 15)`;

const MAIN = join(DIST, "producers/cli/main.js");
const COMMANDS = {
  "node -e 0": ["-e", "0"],
  "rankmill --version": [MAIN, "--version"],
  "rankmill --help": [MAIN, "--help"],
  "rankmill run --help": [MAIN, "run", "--help"],
} as const;

export const commandsBench: Bench = { usage: USAGE, run };

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { repetitions: { type: "string", default: "15" } },
  });
  print(`# Commands that do nothing\n\n${describeHost()}\n`);
  const names = Object.keys(COMMANDS) as (keyof typeof COMMANDS)[];
  const seconds = new Map(names.map((name) => [name, [] as number[]]));
  // In turn, so that all of them find the same machine.
  for (let i = 0; i < Number(values.repetitions); i += 1) {
    for (const name of names) seconds.get(name)?.push(timeOf(COMMANDS[name]));
  }
  const base = median(seconds.get("node -e 0") ?? []);
  printTable(
    ["command", "ms, median", "multiple"],
    names.map((name) => {
      const own = median(seconds.get(name) ?? []);
      return [name, (1_000 * own).toFixed(0), (own / base).toFixed(2)];
    }),
  );
  return await Promise.resolve(0);
}

function timeOf(args: readonly string[]): number {
  const startedMs = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: "ignore" });
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${String(status)}`);
  return (performance.now() - startedMs) / 1_000;
}
