import { DEFAULT_LIMITS } from "../../core/contract.js";
import { RankmillError } from "../../core/errors.js";
import type { Spool } from "../../core/ports/spool.js";
import { option, wording } from "../../core/wording.js";
import { didYouMean } from "../../core/near-names.js";
import { RedisJobQueue } from "../../redis/redis-job-queue.js";
import { RedisResultStore } from "../../redis/redis-result-store.js";
import { checkRunId, type RunInfo } from "../../redis/run-info.js";
import { RunStore } from "../../redis/run-store.js";
import type { RunParts } from "../../runs/run-parts.js";
import { RedisRun } from "./redis-run.js";
import type { Run, RunSummary } from "./run.js";
import { summaryOf } from "./run-summary.js";
import { SpooledRun } from "./spooled-run.js";
import type { RedisClient } from "../../redis/redis-client.js";

/** The parts that all runs of one model share. */
export interface ModelParts extends RunParts {
  readonly queue: RedisJobQueue;
}

/** Runs among which a mistyped one is looked for. */
const MOST_GUESSED_FROM = 1_000;

/** The submitted runs on one Redis; the place that knows which kind a run is. */
export class Runs {
  readonly redis: RedisClient;
  readonly store: RunStore;
  readonly #openSpool: (() => Promise<Spool>) | undefined;
  readonly #parts = new Map<string, ModelParts>();

  /** @param openSpool opens the spool that spooled runs lie in, once it is needed; undefined: none */
  constructor(redis: RedisClient, openSpool: (() => Promise<Spool>) | undefined) {
    this.redis = redis;
    this.store = new RunStore(redis);
    this.#openSpool = openSpool;
  }

  /** @throws RankmillError `run_not_found` if there is no such run (any more) */
  async open(id: string): Promise<Run> {
    const info = await this.store.find(checkRunId(id));
    if (info !== undefined) return this.of(id, info);
    return await this.#notFound(id);
  }

  /** Names runs that may have been meant; of many runs the newest. */
  async #notFound(id: string): Promise<never> {
    const newest: string[] = [];
    for await (const [known] of this.store.index.newest()) {
      if (newest.push(known) >= MOST_GUESSED_FROM) break;
    }
    const guess = didYouMean(id, newest);
    throw new RankmillError(
      "run_not_found",
      `no run "${id}" in this Redis${guess === undefined ? "" : `: ${guess}`} ("rankmill status" lists the runs)`,
      { context: { run: id } },
    );
  }

  /** The run that `info` describes. */
  of(id: string, { tag, spooled }: Pick<RunInfo, "tag" | "spooled">): Run {
    const parts = this.partsOf(tag);
    return spooled === "yes"
      ? new SpooledRun(id, this.redis, parts, () => this.spool())
      : new RedisRun(id, this.redis, parts);
  }

  partsOf(tag: string): ModelParts {
    const known = this.#parts.get(tag);
    if (known !== undefined) return known;
    const parts = {
      store: this.store,
      queue: new RedisJobQueue(this.redis, tag, DEFAULT_LIMITS.maxJobBytes),
      results: new RedisResultStore(this.redis, tag),
    };
    this.#parts.set(tag, parts);
    return parts;
  }

  /** Lists the runs there are, the newest first. */
  async *list(): AsyncGenerator<RunSummary, void, undefined> {
    for await (const [id, info] of this.store.index.newest()) yield summaryOf(id, info);
  }

  /**
   * Removes a run, from the spool also if Redis has forgotten it.
   *
   * @param options `force` cancels a run that is under way, which is refused otherwise
   * @throws RankmillError `run_not_found` if there is no such run
   */
  async purge(id: string, options: { readonly force?: boolean } = {}): Promise<void> {
    const info = await this.store.find(checkRunId(id));
    if (info !== undefined) {
      await this.of(id, info).purge(options);
      return;
    }
    const spool = await this.#openSpool?.();
    if (spool === undefined || !(await spool.has(id))) await this.store.read(id);
    await spool?.remove(id);
  }

  /** @throws RankmillError `invalid_option` if none was given */
  async spool(): Promise<Spool> {
    if (this.#openSpool !== undefined) return await this.#openSpool();
    throw new RankmillError(
      "invalid_option",
      wording`${option("spool")} is missing: the run lies in a spool`,
      { field: "spool" },
    );
  }

  /** Closes what was opened for runs; the connection stays. */
  async close(): Promise<void> {
    await Promise.all([...this.#parts.values()].map(({ queue }) => queue.close()));
    this.#parts.clear();
  }
}
