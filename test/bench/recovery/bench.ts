import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { BUILTIN } from "../../support/cli.js";
import { Stage } from "../kills/stage.js";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { print, printTable, say } from "../support/print.js";
import { median } from "../support/statistics.js";
import { handOver, killedLane, killedWorker, restartedRedis } from "./recoveries.js";

const USAGE = `recovery: seconds from a death to the moment when work goes on
  --only A,B,…       of worker, redis, lane, handover
  --times N          measurements of each kind (default 5)`;

export const recoveryBench: Bench = { usage: USAGE, run };

const DEFAULT_TIMES = 5;
/** Copies of the sample that are the run's input: no kind may come to its end while it is measured. */
const COPIES = 60;

interface Kind {
  readonly name: string;
  readonly aimSeconds: number | undefined;
  /** @returns seconds, one a measurement */
  readonly measure: (stage: Stage, times: number) => Promise<number[]>;
}

const KINDS: Readonly<Record<string, Kind>> = {
  worker: {
    name: "worker killed → all jobs in its hands done by another",
    aimSeconds: 25,
    measure: killedWorker,
  },
  redis: {
    name: "Redis started again with its file → next result",
    aimSeconds: 5,
    measure: restartedRedis,
  },
  lane: {
    name: "only lane of a worker killed → next result",
    aimSeconds: 2,
    measure: killedLane,
  },
  handover: {
    name: "worker at SIGTERM, no time to drain → its jobs in the queue again",
    aimSeconds: undefined,
    measure: handOver,
  },
};

const HEAD = ["recovery", "model", "times", "median s", "worst s", "aim s", "load"] as const;

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: "string" }, times: { type: "string" } },
  });
  const only = values.only?.split(",");
  const times = Number(values.times ?? DEFAULT_TIMES);
  print(`${describeHost()}\n`);
  const rows: string[][] = [];
  for (const [key, { name, aimSeconds, measure }] of Object.entries(KINDS)) {
    if (only?.includes(key) === false) continue;
    say(name);
    const stage = await Stage.open(COPIES);
    try {
      const seconds = await measure(stage, times);
      const row = [
        name,
        `${BUILTIN}, prepared`,
        String(seconds.length),
        median(seconds).toFixed(1),
        Math.max(...seconds).toFixed(1),
        aimSeconds === undefined ? "–" : String(aimSeconds),
        (loadavg()[0] ?? 0).toFixed(1),
      ];
      say(row.join(" | "));
      rows.push(row);
    } finally {
      await stage.close();
    }
  }
  printTable(HEAD, rows);
  return 0;
}
