import { setTimeout as sleep } from "node:timers/promises";
import { RankmillError } from "../../core/errors.js";
import type { RecordFailure } from "../../core/record.js";
import { option, wording } from "../../core/wording.js";
import { unlessAborted } from "../../platform/unless-aborted.js";
import { runMemoryBytes, type JobSample } from "../../redis/run-footprint.js";
import type { RunInfo } from "../../redis/run-info.js";
import { waitOut } from "../../redis/wait-out.js";
import type { RunItem } from "../../runs/run-item.js";
import { runOwner, type RunParts } from "../../runs/run-parts.js";
import type { RunStatus } from "../../runs/run-status.js";
import { checkCall, checkMs, orAborted, untilAborted } from "../client/call-options.js";
import { rankingOf, type Ranking } from "../client/ranking.js";
import { followRankings, type FreshRankings } from "./follow-rankings.js";
import type {
  RankingsOptions,
  ResultStreams,
  Run,
  RunCall,
  RunSummary,
  UntilOverOptions,
  WrittenResults,
} from "./run.js";
import type { RunExamples } from "./run-examples.js";
import { summaryOf } from "./run-summary.js";
import { writeResults } from "./write-results.js";
import type { RedisClient } from "../../redis/redis-client.js";

const POLL_MS = 1_000;

/** The part that the two kinds of run have in common: all that follows from how a run stands and its items. */
export abstract class RunBase implements Run {
  abstract readonly place: "redis" | "spool";
  readonly id: string;
  protected readonly redis: RedisClient;
  protected readonly parts: RunParts;

  constructor(id: string, redis: RedisClient, parts: RunParts) {
    this.id = id;
    this.redis = redis;
    this.parts = parts;
  }

  protected abstract readStatus(): Promise<RunStatus>;
  protected abstract readItems(): AsyncGenerator<RunItem, void, undefined>;
  /** A reader of the rankings as they come. */
  protected abstract freshRankings(): FreshRankings;
  protected abstract tryAgain(): Promise<number>;
  /** @param force cancels a run that is under way, which is refused otherwise */
  protected abstract removeAll(force: boolean): Promise<void>;
  abstract examples(options: { readonly withTexts: boolean }): Promise<RunExamples>;
  /** Takes the jobs of a run that is marked as cancelled out. @returns records that were stopped */
  protected abstract takeOut(info: RunInfo): Promise<number>;
  /** Whether some record is known to be open: cheaper than how all of them stand. */
  protected abstract hasOpen(): Promise<boolean>;
  protected abstract sampleJobs(info: RunInfo): Promise<JobSample>;

  async summary({ signal }: RunCall = {}): Promise<RunSummary> {
    return summaryOf(this.id, await orAborted(this.info(), signal));
  }

  async status({ signal }: RunCall = {}): Promise<RunStatus> {
    return await orAborted(this.readStatus(), signal);
  }

  async retry({ signal }: RunCall = {}): Promise<number> {
    return await orAborted(this.tryAgain(), signal);
  }

  async purge(options: { readonly force?: boolean } & RunCall = {}): Promise<void> {
    await orAborted(this.removeAll(options.force ?? false), options.signal);
  }

  items({ signal }: RunCall = {}): AsyncGenerator<RunItem, void, undefined> {
    return untilAborted(this.readItems(), signal);
  }

  async untilOver(options: UntilOverOptions = {}): Promise<RunStatus> {
    const { signal, timeoutMs, pollMs } = options;
    checkCall({ timeoutMs: timeoutMs === Infinity ? undefined : timeoutMs, signal });
    if (pollMs !== undefined) checkMs("pollMs", pollMs);
    const over = this.#pollUntilOver(options);
    return await (signal === undefined ? over : unlessAborted(over, signal));
  }

  async #pollUntilOver(options: UntilOverOptions): Promise<RunStatus> {
    const { timeoutMs = Infinity, pollMs = POLL_MS, onStatus, signal } = options;
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const status = await this.status();
      onStatus?.(status);
      if (status.over) return status;
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) {
        throw new RankmillError("timeout", `run ${this.id} is not over after ${timeoutMs} ms`, {
          context: { run: this.id },
        });
      }
      await sleep(Math.min(pollMs, leftMs), undefined, { signal });
    }
  }

  async *rankings(options: RankingsOptions = {}): AsyncGenerator<Ranking, void, undefined> {
    const { follow = false, pollMs = POLL_MS, signal } = options;
    checkCall({ signal });
    checkMs("pollMs", pollMs);
    const lines = follow ? untilAborted(this.#follow(pollMs, signal), signal) : this.#done(signal);
    for await (const line of lines) yield rankingOf(line, `a ranking of run ${this.id}`);
  }

  async *#done(signal: AbortSignal | undefined): AsyncGenerator<string, void, undefined> {
    for await (const item of this.items({ signal })) if (item.status === "done") yield item.line;
  }

  #follow(
    pollMs: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<string, void, undefined> {
    const { redis } = this;
    const status = async (): Promise<RunStatus> =>
      await waitOut(async () => await this.readStatus(), { redis });
    return followRankings({ status, fresh: this.freshRankings(), pollMs, signal });
  }

  async *failures(call: RunCall = {}): AsyncGenerator<RecordFailure, void, undefined> {
    for await (const item of this.items(call)) if (item.status === "failed") yield item.failure;
  }

  async writeResults(
    output: string,
    streams?: ResultStreams,
    call: RunCall = {},
  ): Promise<WrittenResults> {
    return await writeResults(this, output, streams, call);
  }

  async cancel({ signal }: RunCall = {}): Promise<number> {
    return await orAborted(this.#cancel(), signal);
  }

  async #cancel(): Promise<number> {
    // A run that is over stays complete, and no part of it becomes cancelled.
    if ((await this.info()).state === "complete") return 0;
    const { queue, store } = this.parts;
    // At once: of a large run the last job is found and taken out seconds later.
    await queue.blockOwner(runOwner(this.id));
    try {
      if (!(await this.hasOpen()) && (await this.status()).over) return 0;
      // First of all: nobody may enqueue again what is about to be taken out.
      const info = await this.info();
      await store.update(this.id, { state: "cancelled" });
      const stopped = await this.takeOut(info);
      const { total, counts } = await this.status();
      await store.history.note(this.id, { total, counts, speed: undefined, isLast: true });
      return stopped;
    } finally {
      await queue.unblockOwner(runOwner(this.id));
    }
  }

  async memoryBytes({ signal }: RunCall = {}): Promise<number | undefined> {
    return await orAborted(this.#memoryBytes(), signal);
  }

  async #memoryBytes(): Promise<number | undefined> {
    const info = await this.info();
    const jobs = await this.sampleJobs(info);
    return await runMemoryBytes(this.redis, this.id, info, jobs);
  }

  protected async info(): Promise<RunInfo> {
    return await this.parts.store.read(this.id);
  }

  /** @throws RankmillError `conflict` if the run is under way, unless `force` cancels it */
  protected async endForPurge(force: boolean): Promise<void> {
    if ((await this.status()).over) return;
    if (!force) {
      throw new RankmillError(
        "conflict",
        wording`run ${this.id} is under way: cancel it first, or purge it with ${option("force")}`,
        { context: { run: this.id } },
      );
    }
    await this.cancel();
  }
}
