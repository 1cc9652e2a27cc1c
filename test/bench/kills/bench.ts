import { parseArgs } from "node:util";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { print, printTable, say } from "../support/print.js";
import { median } from "../support/statistics.js";
import { killRun, killRunner, killSubmit } from "./owners.js";
import { Stage, type Disturbed } from "./stage.js";
import { killLane, killRedis, killWorker, wakeZombie } from "./workers.js";

const USAGE = `kills: what is lost or done twice where processes are killed in the middle of their work
  --only A,B,…       of run, submit, runner, worker, lane, redis, zombie
  --times N          fewer disturbances of each kind`;

export const killsBench: Bench = { usage: USAGE, run };

/** Copies of the sample that are a run's input. */
const COPIES = 40;
/** The parts whose work others go on with while one is gone: the run must outlast all disturbances. */
const MANY_COPIES = 100;

interface Kind {
  readonly name: string;
  readonly times: number;
  readonly copies: number;
  readonly disturb: (stage: Stage, times: number) => Promise<Disturbed>;
}

const KINDS: Readonly<Record<string, Kind>> = {
  run: {
    name: "`run` killed, same command again",
    times: 20,
    copies: COPIES,
    disturb: killRun,
  },
  submit: {
    name: "`submit --output` killed, same command again",
    times: 20,
    copies: COPIES,
    disturb: killSubmit,
  },
  runner: {
    name: "owner among two `runner`s killed",
    times: 20,
    copies: MANY_COPIES,
    disturb: killRunner,
  },
  worker: {
    name: "one of two workers killed",
    times: 20,
    copies: MANY_COPIES,
    disturb: killWorker,
  },
  lane: {
    name: "lane killed",
    times: 20,
    copies: COPIES,
    disturb: killLane,
  },
  redis: {
    name: "Redis killed, started with its file",
    times: 5,
    copies: COPIES,
    disturb: killRedis,
  },
  zombie: {
    name: "worker frozen past its locks, woken",
    times: 5,
    copies: MANY_COPIES,
    disturb: wakeZombie,
  },
};

const HEAD = [
  "disturbance (SIGKILL)",
  "times",
  "jobs",
  "in hand, min/median/max",
  "lost",
  "doubled",
  "same bytes as undisturbed",
  "",
] as const;

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: "string" }, times: { type: "string" } },
  });
  const only = values.only?.split(",");
  print(`${describeHost()}\n`);
  const rows: string[][] = [];
  let sound = true;
  for (const [key, { name, times, copies, disturb }] of Object.entries(KINDS)) {
    if (only?.includes(key) === false) continue;
    say(name);
    const stage = await Stage.open(copies);
    try {
      const { inHand, note } = await disturb(stage, Math.min(times, Number(values.times ?? times)));
      const { lost, doubled, lines } = stage.output();
      const same = JSON.stringify(lines) === JSON.stringify(await stage.undisturbed());
      sound &&= lost === 0 && doubled === 0 && same;
      const row = [
        name,
        String(inHand.length),
        String(stage.records),
        `${Math.min(...inHand)} / ${median(inHand)} / ${Math.max(...inHand)}`,
        String(lost),
        String(doubled),
        same ? "yes" : "no",
        note,
      ];
      // A later kind that fails must not take along what is known of this one.
      say(row.join(" | "));
      rows.push(row);
    } finally {
      await stage.close();
    }
  }
  printTable(HEAD, rows);
  return sound ? 0 : 1;
}
