import { setTimeout as sleep } from "node:timers/promises";
import { rerank } from "../../support/cli.js";
import { writeRecords } from "../../support/records.js";
import { Arena } from "./arena.js";
import { FaultTally } from "./fault-tally.js";
import type { Fault } from "./fault.js";
import { makeInput } from "./input.js";
import type { ChaosOptions } from "./options.js";
import { planFaults, readFaults } from "./plan.js";
import { countLeftOver, playRound } from "./rounds.js";
import { Strikes } from "./strikes.js";
import { CHAOS_MARK, Guard } from "./guard.js";
import { REPORT_OPTIONS } from "./process-report.js";
import { emptyVerdict, readOutput, violations, type Lines, type Verdict } from "./verdict.js";

/** The time that processes have to end after all was stopped. */
const ORPHANS_MS = 20_000;
const POLL_MS = 100;

export interface ChaosOutcome {
  readonly verdict: Verdict;
  readonly tally: FaultTally;
  readonly rounds: number;
  /** Ends of processes that nobody had asked for, by name and exit code. */
  readonly selfMadeEnds: Readonly<Record<string, number>>;
  /** A sentence for each invariant that does not hold. */
  readonly broken: readonly string[];
}

export interface ChaosLog {
  readonly say: (line: string) => void;
  /** Each fault as a line of the log that `--replay` reads. */
  readonly onFault: (line: string) => void;
}

function faultsOf({ seed, minutes, kinds, replay }: ChaosOptions): Fault[] {
  return replay === undefined ? planFaults(seed, minutes, kinds) : readFaults(replay);
}

/**
 * Ranks the same input again and again under faults, and compares it with an undisturbed run.
 *
 * @param folders to be removed with everything else if this process is killed
 */
export async function runChaos(
  options: ChaosOptions,
  log: ChaosLog,
  faults: readonly Fault[] = faultsOf(options),
  folders: readonly string[] = [],
): Promise<ChaosOutcome> {
  const { seed, plant } = options;
  const tally = new FaultTally();
  const verdict = emptyVerdict();
  const guard = new Guard();
  log.say(`processes carry ${CHAOS_MARK}=${guard.mark}`);
  const arena = await Arena.open({ ...guard.env, ...nodeOptions(plant) });
  const { leavings } = arena;
  guard.tell({ ...leavings, folders: [...folders, ...leavings.folders] });
  const stop = stopAtSignal(arena);
  let rounds = 0;
  try {
    const input = arena.bench.path("in.jsonl");
    writeRecords(input, makeInput(seed, options.records));
    const expected = await undisturbed(arena, input);
    await arena.startWorkers();
    const strikes = new Strikes(arena, faults, {
      onFault: (fault, outcome) => {
        log.onFault(JSON.stringify({ ...fault, ...outcome }));
        tally.count(fault.kind, outcome);
      },
    });
    const onProgress = (): void => tally.recovered();
    const isCalmAtFirst = plant !== undefined;
    const playing = { ...options, ...log, input, expected, onProgress, isCalmAtFirst };
    do {
      await playRound(arena, strikes, rounds, playing, verdict);
      rounds += 1;
    } while (strikes.left > 0 && verdict.stuck === 0);
    for (const reason of await arena.stopWorkers()) log.say(`not stopped in order: ${reason}`);
    // Once more: a worker that was frozen until the end has dealt with what it held only now.
    if (verdict.stuck === 0) await countLeftOver(arena, verdict, log.say);
    verdict.orphans = await countOrphans(arena, log);
  } finally {
    stop();
    await arena.close();
    guard.close();
  }
  const ends = arena.services.flatMap(({ selfMadeEnds }) => selfMadeEnds);
  for (const { name, code, said } of ends) {
    if (code === 1) log.say(`${name} ended by itself with 1\n${said}`);
  }
  const broken = violations(verdict, options.standstillSeconds);
  return { verdict, tally, rounds, selfMadeEnds: countEnds(ends), broken };
}

/** Leaves no process, no mount and no folder behind at Ctrl-C. @returns how to stop listening */
function stopAtSignal(arena: Arena): () => void {
  const end = (): void => {
    void arena.close().finally(() => process.exit(130));
  };
  process.once("SIGINT", end).once("SIGTERM", end);
  return () => process.off("SIGINT", end).off("SIGTERM", end);
}

/** Every command tells of itself when asked, and is broken by the plant. The undisturbed run is made without it. */
function nodeOptions(plant: string | undefined): Record<string, string> {
  const plants = plant === undefined ? [] : [new URL(`plants/${plant}.mjs`, import.meta.url).href];
  return { NODE_OPTIONS: [REPORT_OPTIONS, ...plants.map((url) => `--import=${url}`)].join(" ") };
}

async function undisturbed(arena: Arena, input: string): Promise<Lines> {
  const output = arena.bench.path("undisturbed.jsonl");
  const env = { NODE_OPTIONS: "" };
  const exit = await arena.bench.run(rerank(input, output), { env });
  // Some of its lines are bad on purpose.
  if (exit.code !== 3) throw new Error(`the undisturbed run failed\n${exit.stderr}`);
  return readOutput(output);
}

async function countOrphans(arena: Arena, log: ChaosLog): Promise<number> {
  const deadline = performance.now() + ORPHANS_MS;
  while (arena.bench.alive().length > 0 && performance.now() < deadline) await sleep(POLL_MS);
  const orphans = arena.bench.alive();
  for (const { pid, command } of orphans) {
    log.say(`orphan: ${pid} ${command}`);
    process.kill(pid, "SIGKILL");
  }
  return orphans.length;
}

function countEnds(ends: readonly { name: string; code: number | null }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { name, code } of ends) {
    const key = `${name.replace(/ \d$/, "")} with ${String(code)}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
