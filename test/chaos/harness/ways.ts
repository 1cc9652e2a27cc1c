/** The ways in which a run can be made: each is ranked under faults, in turns. */
import { setTimeout as sleep } from "node:timers/promises";
import { RunStore } from "../../../src/redis/run-store.js";
import type { CliExit } from "../../support/cli.js";
import { resultKeys } from "../../support/queue-view.js";
import { countLines } from "../../support/records.js";
import { MODEL, SLOW, type Arena } from "./arena.js";
import { Service } from "./service.js";

const RETRY_MS = 500;
/** Everything ranked, or some in the failed file. */
const ENDS: ReadonlySet<number | null> = new Set([0, 3]);
/** Some records have neither ranking nor failure. */
const UNFINISHED = 4;

/** One run, from its input to its output. */
export interface PlayedRun {
  /** Kinds of faults that every second one is made of: most others hit nobody whom the run needs. */
  readonly aims?: readonly string[];
  /** Starts what feeds the run, and whatever else it needs. May take long: faults are under way. */
  begin(): Promise<void>;
  /** Records that are ranked so far. */
  progress(): Promise<number>;
  isOver(): Promise<boolean>;
  /** Writes the output once the run is over and all faults are healed. */
  collect(): Promise<void>;
  /** Removes it from Redis and spool. */
  purge(): Promise<void>;
}

export interface Round {
  readonly arena: Arena;
  readonly number: number;
  readonly input: string;
  readonly output: string;
}

/** Runs a command until it succeeds: what a user or a script does. */
async function untilDone(arena: Arena, args: readonly string[]): Promise<void> {
  while (!arena.isClosing) {
    const { code } = await arena.bench.run(args);
    if (ENDS.has(code)) return;
    await sleep(RETRY_MS);
  }
}

/** @throws Error with what the command said, if it fails in calm weather */
async function succeed(arena: Arena, args: readonly string[], also?: number): Promise<void> {
  const exit = await arena.bench.run(args);
  if (ENDS.has(exit.code) || exit.code === also) return;
  throw new Error(`${args.join(" ")} ended with ${String(exit.code)}\n${exit.stderr}`);
}

/** `submit`, two runners if there is a spool, `results`, `purge`. */
function submitted(round: Round, place: string | undefined): PlayedRun {
  const { arena, input, output, number } = round;
  const run = `chaos-${number}`;
  const spool = place === undefined ? [] : ["--spool", place];
  const store = new RunStore(arena.redis);
  return {
    begin: async () => {
      if (place !== undefined) {
        const args = ["runner", ...spool];
        arena.owners = [
          new Service(arena.bench, { name: "runner 1", args, env: {} }),
          new Service(arena.bench, { name: "runner 2", args, env: arena.proxied }),
        ];
      }
      await untilDone(arena, ["submit", ...MODEL, "--input", input, "--run", run, ...spool]);
    },
    progress: async () => {
      if (place === undefined) return (await resultKeys(arena.redis)).size;
      const { counts } = await store.readProgress(run);
      return counts.done + counts.failed;
    },
    isOver: async () => (await store.find(run))?.state === "complete",
    // Missing records are for the harness to count.
    collect: async () =>
      await succeed(arena, ["results", run, "--output", output, ...spool], UNFINISHED),
    purge: async () => await succeed(arena, ["purge", run, ...spool]),
  };
}

function isDone({ code }: CliExit): boolean {
  return ENDS.has(code);
}

/**
 * `run`, started again until it is done; it leaves nothing to purge.
 *
 * @param env of the command beside that of all
 */
function foreground(
  { arena, input, output }: Round,
  env: Readonly<Record<string, string>>,
): PlayedRun {
  const args = ["run", "--input", input, "--output", output, ...MODEL, ...SLOW];
  let run: Service | undefined;
  return {
    begin: async () => {
      run = new Service(arena.bench, { name: "run", args, env, isDone });
      arena.owners = [run];
      await Promise.resolve();
    },
    progress: async () => await Promise.resolve(countLines(`${output}.partial`)),
    isOver: async () => await Promise.resolve(run?.isDone === true),
    collect: async () => {},
    purge: async () => {},
  };
}

export const WAYS: Readonly<Record<string, (round: Round) => PlayedRun>> = {
  "spool in a folder": (round) => submitted(round, `${round.arena.disk.folder}/spool`),
  run: (round) => foreground(round, {}),
  "run with a Redis of its own": (round) => ({
    ...foreground(round, { REDIS_URL: "" }),
    aims: ["kill-private-redis", "kill-guardian"],
  }),
  "spool in S3": (round) => submitted(round, round.arena.s3.place("chaos")),
  "run in Redis": (round) => submitted(round, undefined),
};
