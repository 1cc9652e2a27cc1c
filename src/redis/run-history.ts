import type { Result } from "ioredis";
import type { z } from "zod";
import type { RunCounts } from "../core/run-counts.js";
import { EMPTY_SERIES, withPoint, type RunSeries } from "../core/run-series.js";
import type { RunSpeed } from "../core/run-speed.js";
import { tryStored } from "../core/stored-json.js";
import { runKeys } from "./keys.js";
import type { RedisClient } from "./redis-client.js";
import { runFiguresSchema, runSeriesSchema } from "./run-schemas.js";
import { serverTimeMs } from "./server-time.js";

export type RunFigures = z.infer<typeof runFiguresSchema>;

/** The figures of a run, and whether they are its last. */
export interface KeptFigures {
  readonly figures: RunFigures | undefined;
  readonly isLast: boolean;
}

/** The standing of a run at one moment, to be put down. */
export interface RunMoment {
  readonly total: number;
  readonly counts: Readonly<RunCounts>;
  readonly speed: RunSpeed | undefined;
  /** Whether the run is over: these figures are its last. */
  readonly isLast: boolean;
}

/**
 * KEYS: run, its history. ARGV: figures, series, whether they are the last.
 * Returns 1 if the run is there: the history lives as long as the run, and a purged run gets none.
 */
const NOTE = `
local left = redis.call("PTTL", KEYS[1])
if left == -2 then return 0 end
redis.call("HSET", KEYS[2], "figures", ARGV[1], "series", ARGV[2], "last", ARGV[3])
if left > 0 then redis.call("PEXPIRE", KEYS[2], left) end
return 1
`;

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillNoteRun(
      run: string,
      history: string,
      figures: string,
      series: string,
      isLast: string,
    ): Result<number, Context>;
  }
}

/**
 * The course of runs, kept in Redis while they go: newest figures, and a series of a fixed number of points. The
 * owner of a spooled run and the workers of one in Redis put it down every few seconds, in two commands;
 * nothing is written per job.
 */
export class RunHistory {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
    redis.defineCommand("rankmillNoteRun", { numberOfKeys: 2, lua: NOTE });
  }

  async note(run: string, { total, counts, speed, isLast }: RunMoment): Promise<void> {
    const key = runKeys.history(run);
    const atMs = await serverTimeMs(this.#redis, key);
    const { done, failed, pairs } = counts;
    const point = { atMs, ended: done + failed, failed, pairs };
    const series = withPoint(await this.series(run), point, isLast);
    const figures: RunFigures = {
      atMs,
      total,
      counts,
      ...(speed !== undefined && {
        recordsPerSecond: speed.recordsPerSecond,
        pairsPerSecond: speed.pairsPerSecond,
      }),
    };
    await this.#redis.rankmillNoteRun(
      runKeys.run(run),
      key,
      JSON.stringify(figures),
      JSON.stringify(series),
      isLast ? "yes" : "no",
    );
  }

  /** The figures are no longer the last: the run goes on. */
  async reopen(run: string): Promise<void> {
    await this.#redis.hdel(runKeys.history(run), "last");
  }

  async series(run: string): Promise<RunSeries> {
    const text = await this.#redis.hget(runKeys.history(run), "series");
    return tryStored(runSeriesSchema, text) ?? EMPTY_SERIES;
  }

  /** Figures of several runs, one command each. */
  async figures(runs: readonly string[]): Promise<KeptFigures[]> {
    const asked = runs.map((run) => this.#redis.hmget(runKeys.history(run), "figures", "last"));
    return (await Promise.all(asked)).map(([text, last]) => {
      const figures = tryStored(runFiguresSchema, text);
      return { figures, isLast: figures !== undefined && last === "yes" };
    });
  }
}
