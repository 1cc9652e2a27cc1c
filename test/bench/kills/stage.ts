import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { Bench, BUILTIN, rerank, SAMPLE, type RunningCli, words } from "../../support/cli.js";
import { heldJobs, resultKeys } from "../../support/queue-view.js";
import { multiply, readRankings, sortedLines, writeRecords } from "../../support/records.js";
import { TestRedis } from "../../support/redis-server.js";
import { say } from "../support/print.js";
import { seededRandom } from "../support/statistics.js";

const SAMPLE_RECORDS = 54;
const SEED = 20;
/** The part of the run in which disturbances fall: before the first record is done there is nothing to lose. */
const EARLIEST = 0.02;
const LATEST = 0.85;
/** Each look reads every key: more often, the bench would work harder than what it disturbs. */
const POLL_MS = 100;
/** The time after which a step counts as hung: none takes so long. */
const DEADLINE_MS = 900_000;

/** One lane and single pairs: work enough for many kills, with the model that is always there. */
export const SLOW = words(
  `--model ${BUILTIN} --lanes 1 --concurrency 8 --max-batch-size 1 --no-calibrate`,
);
export const INPUT = "in.jsonl";
export const OUTPUT = "out.jsonl";

/** The effect of a disturbance, and the amount of work it met each time. */
export interface Disturbed {
  /** Jobs begun and without a result, at each kill. */
  readonly inHand: readonly number[];
  /** Anything else that was measured. */
  readonly note: string;
}

/** One run and what it needs: a Redis with an append-only file, processes, and dice. */
export class Stage {
  readonly server: TestRedis;
  readonly redis: Redis;
  readonly processes: Bench;
  readonly random: () => number;
  readonly records: number;
  /** The holders of jobs, by the id of their BullMQ worker. */
  readonly #hands = new Map<string, RunningCli>();

  private constructor(server: TestRedis, processes: Bench, copies: number) {
    this.server = server;
    this.redis = server.client();
    this.processes = processes;
    this.random = seededRandom(SEED);
    this.records = SAMPLE_RECORDS * copies;
  }

  /** @param copies of the sample that are the run's input */
  static async open(copies: number): Promise<Stage> {
    const server = await TestRedis.start();
    const processes = await Bench.open({ REDIS_URL: server.url });
    const stage = new Stage(server, processes, copies);
    writeRecords(processes.path(INPUT), multiply(SAMPLE, copies));
    return stage;
  }

  async close(): Promise<void> {
    await this.processes.close();
    await this.server.close();
  }

  /** Numbers of records at which something is to happen, in order. */
  moments(times: number): number[] {
    const share = (): number => EARLIEST + this.random() * (LATEST - EARLIEST);
    return Array.from({ length: times }, () => Math.floor(share() * this.records)).sort(
      (a, b) => a - b,
    );
  }

  /**
   * Freezes `victim` at a moment when `worker` has begun jobs that have no result. Frozen, neither
   * changes anything between the look and the kill.
   *
   * @param worker who works: the victim itself, unless that feeds and collects alone
   * @returns how many jobs those are
   */
  async freezeAtWork(victim: RunningCli, worker = victim): Promise<number> {
    let held = 0;
    await waitFor("the victim has work in hand", async () => {
      if (!victim.running) throw new Error(`it ended by itself\n${victim.said}`);
      if ((await resultKeys(this.redis)).size === this.records) {
        throw new Error("the run was over before its last disturbance: it needs more copies");
      }
      await victim.freeze();
      held = (await this.jobsOf(worker)).length;
      if (held > 0) return true;
      victim.signal("SIGCONT");
      return false;
    });
    return held;
  }

  /**
   * Jobs that `worker` has begun and that have no result. Those that a dead one held stay in the
   * queue's list for a while; the lock says whose they are. An id that was never seen belongs to the
   * worker that is asked for, which must be the newest.
   */
  async jobsOf(worker: RunningCli): Promise<string[]> {
    const held = await heldJobs(this.redis);
    const holders = await Promise.all(
      held.map(async (jobId) => {
        const [key = ""] = await this.redis.keys(`rankmill:*-bulk:${jobId}:lock`);
        const token = await this.redis.get(key);
        return token?.split(":")[0];
      }),
    );
    return held.filter((_, i) => {
      const holder = holders[i];
      if (holder === undefined) return false;
      if (!this.#hands.has(holder)) this.#hands.set(holder, worker);
      return this.#hands.get(holder) === worker;
    });
  }

  async kill(victim: RunningCli): Promise<void> {
    victim.signal("SIGKILL");
    await victim.exited;
  }

  /** Starts `rankmill submit` for the input and waits for its end. @returns the run's id */
  async submit(more: readonly string[] = []): Promise<string> {
    const args = ["submit", "--model", BUILTIN, "--input", INPUT, ...more];
    const { code, stdout, stderr } = await this.processes.run(args);
    if (code !== 0) throw new Error(stderr);
    return stdout.trim();
  }

  /** Lines that an undisturbed run writes, sorted. */
  async undisturbed(): Promise<string[]> {
    await this.redis.flushall();
    const exit = await this.processes.run(rerank(INPUT, "undisturbed.jsonl"));
    if (exit.code !== 0) throw new Error(exit.stderr);
    return sortedLines(this.processes.path("undisturbed.jsonl"));
  }

  /** The outcome: records that are missing, records that are there twice, sorted lines. */
  output(): { lost: number; doubled: number; lines: string[] } {
    const path = this.processes.path(OUTPUT);
    const ids = readRankings(path).map(({ id }) => id);
    const distinct = new Set(ids).size;
    return {
      lost: this.records - distinct,
      doubled: ids.length - distinct,
      lines: sortedLines(path),
    };
  }
}

export async function waitFor(
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(POLL_MS);
  }
}

export function sayKill(times: number, of: number, held: number): void {
  say(`  ${times} of ${of}, ${held} jobs in hand`);
}
