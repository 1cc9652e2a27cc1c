import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { waitAtMost } from "../../../src/platform/wait-at-most.js";
import type { Arena } from "./arena.js";
import { diagnose } from "./diagnosis.js";
import { leftOverKeys } from "./left-over.js";
import type { Strikes } from "./strikes.js";
import { compare, readOutput, type Lines, type Verdict } from "./verdict.js";
import { WAYS, type PlayedRun } from "./ways.js";

const POLL_MS = 250;
/** A question to Redis that takes longer is no progress. */
const ANSWER_MS = 2_000;

export interface RoundOptions {
  readonly input: string;
  readonly expected: Lines;
  /** A run that stands still for so long counts as stuck. */
  readonly giveUpSeconds: number;
  readonly say: (line: string) => void;
  readonly onProgress: () => void;
  /** Whether faults wait for the first ranking: a plant needs work to be in hand. */
  readonly isCalmAtFirst: boolean;
}

/** Plays one run in one way under faults, and adds to the verdict what it broke. */
export async function playRound(
  arena: Arena,
  strikes: Strikes,
  number: number,
  options: RoundOptions,
  verdict: Verdict,
): Promise<void> {
  const ways = Object.entries(WAYS);
  const [name, play] = ways[number % ways.length] ?? [];
  if (name === undefined || play === undefined) throw new Error("there is no way");
  const output = `${arena.disk.folder}/out-${number}.jsonl`;
  const run = play({ arena, number, input: options.input, output });
  options.say(`round ${number}: ${name}`);
  const over = new AbortController();
  const moving = new AbortController();
  if (!options.isCalmAtFirst) moving.abort();
  const striking = strikes.during(moving.signal, over.signal, run.aims);
  // A submission goes on until it succeeds; nothing is asked of it meanwhile.
  const beginning = run.begin();
  const onProgress = (): void => {
    moving.abort();
    options.onProgress();
  };
  const isOver = await watch(run, beginning, { ...options, onProgress }, verdict);
  // As it is, before anything is healed.
  if (!isOver) options.say(await diagnose(arena));
  over.abort();
  moving.abort();
  await striking;
  if (isOver) {
    await run.collect();
    const { ranked, failed } = readOutput(output);
    const { lost, doubled, different } = compare(options.expected, { ranked, failed });
    verdict.lost += lost;
    verdict.doubled += doubled;
    verdict.different += different;
    options.say(`round ${number}: lost ${lost}, doubled ${doubled}, different ${different}`);
    await run.purge();
    await countLeftOver(arena, verdict, options.say);
    rmSync(output, { force: true });
  } else {
    verdict.stuck += 1;
  }
  for (const reason of await arena.stopOwners()) options.say(`not stopped in order: ${reason}`);
}

/** Counts what stays after a purge and takes it out, so that it is counted once. */
export async function countLeftOver(
  { redis }: Arena,
  verdict: Verdict,
  say: (line: string) => void,
): Promise<void> {
  const left = await leftOverKeys(redis);
  verdict.leftOverKeys += left.length;
  for (const key of left) say(`left over: ${key}`);
  if (left.length > 0) await redis.unlink(...left);
}

/** @returns whether the run came to its end; else it stood still until the harness gave up */
async function watch(
  run: PlayedRun,
  beginning: Promise<void>,
  { giveUpSeconds, onProgress }: RoundOptions,
  verdict: Verdict,
): Promise<boolean> {
  let begun = false;
  let failure: unknown;
  beginning.then(
    () => (begun = true),
    (error: unknown) => (failure = error),
  );
  let most = 0;
  let movedMs = performance.now();
  const answers = new Answers(async () => ({
    progress: await run.progress(),
    isOver: begun && (await run.isOver()),
  }));
  for (;;) {
    const answer = await answers.next();
    if (failure !== undefined) throw failure;
    const stoodSeconds = (performance.now() - movedMs) / 1_000;
    verdict.longestStandstillSeconds = Math.max(verdict.longestStandstillSeconds, stoodSeconds);
    if (answer !== undefined && answer.progress > most) {
      most = answer.progress;
      movedMs = performance.now();
      onProgress();
    }
    if (answer?.isOver === true) return true;
    if (stoodSeconds > giveUpSeconds) return false;
    await sleep(POLL_MS);
  }
}

/** One question at a time to a Redis that may be away: what is asked then is answered later. */
class Answers<T> {
  readonly #ask: () => Promise<T>;
  #asked: Promise<T | undefined> | undefined;

  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }

  /** @returns undefined if there is no answer yet */
  async next(): Promise<T | undefined> {
    this.#asked ??= this.#ask().catch(() => undefined);
    const waited = await waitAtMost(this.#asked, ANSWER_MS);
    if (waited.status === "late") return undefined;
    this.#asked = undefined;
    return waited.value;
  }
}
