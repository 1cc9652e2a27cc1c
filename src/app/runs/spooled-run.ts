import { setTimeout as sleep } from "node:timers/promises";
import { DEFAULT_LIMITS, parseRequest } from "../../core/contract.js";
import { RankmillError } from "../../core/errors.js";
import type { Spool } from "../../core/ports/spool.js";
import { addCounts, emptyCounts, rankingId } from "../../core/run-counts.js";
import { makeJob } from "../../redis/make-job.js";
import { sampleTrackedJobs, type JobSample } from "../../redis/run-footprint.js";
import type { RunInfo } from "../../redis/run-info.js";
import { IdSet } from "../../runs/id-set.js";
import { CANCELLED, DAMAGED, leftItems, type RunItem } from "../../runs/run-item.js";
import { runOwner, type RunParts } from "../../runs/run-parts.js";
import type { RunStatus } from "../../runs/run-status.js";
import { examplesInSpool } from "./find-examples.js";
import type { FreshRankings } from "./follow-rankings.js";
import { RunBase } from "./run-base.js";
import type { RunExamples } from "./run-examples.js";
import type { RedisClient } from "../../redis/redis-client.js";

/** Jobs that are taken out in one go. */
const CHUNK_JOBS = 500;
/** The time for which a cancellation waits for a living owner to let go; it asks twice per second. */
const OWNER_LETS_GO_MS = 3_000;
/** Longest life of a dead owner's lease, and a while more. */
const LEASE_ENDS_MS = 20_000;
const POLL_MS = 50;

/**
 * A run whose records and rankings lie in a spool. A runner owns it: it feeds a bounded number of
 * jobs to Redis, collects their rankings, and reports its progress there. Only methods that read or
 * change the spool open it.
 */
export class SpooledRun extends RunBase {
  readonly place = "spool";
  readonly #openSpool: () => Promise<Spool>;

  constructor(id: string, redis: RedisClient, parts: RunParts, openSpool: () => Promise<Spool>) {
    super(id, redis, parts);
    this.#openSpool = openSpool;
  }

  /** The run's progress, as its owner last reported it. */
  protected async readStatus(): Promise<RunStatus> {
    const { state, total } = await this.info();
    const { counts, active } = await this.parts.store.readProgress(this.id);
    const open = total - counts.done - counts.failed;
    const over = state === "complete" || state === "cancelled" || state === "failed";
    if (state !== "cancelled")
      return { state, over, total, counts, waiting: open - active, active };
    const all = { ...counts, failedByCode: { ...counts.failedByCode } };
    addCounts(all, { ...emptyCounts(), failed: open, failedByCode: { cancelled: open } });
    return { state, over, total, counts: all, waiting: 0, active: 0 };
  }

  protected async *readItems(): AsyncGenerator<RunItem, void, undefined> {
    const info = await this.info();
    const spool = await this.#openSpool();
    const cancelled = info.state === "cancelled";
    const doneIds = new Set<string>();
    const failedLines = new Set<number>();
    let open = info.total;
    for await (const line of spool.rankings(this.id)) {
      open -= 1;
      // Only what is left of a cancelled run must be told from what is done.
      if (cancelled) doneIds.add(rankingId(line));
      yield { status: "done", line };
    }
    for await (const failure of spool.failures(this.id)) {
      open -= 1;
      if (cancelled) failedLines.add(failure.line);
      yield { status: "failed", failure };
    }
    if (cancelled) yield* leftItems(spool.records(this.id, doneIds), failedLines, CANCELLED);
    else if (info.state === "complete" && open > 0) yield* this.#damagedItems(spool);
    else for (; open > 0; open -= 1) yield { status: "open" };
  }

  /** Owners of a run each write files of their own, and its end puts them together: ids alone tell what was given. */
  protected freshRankings(): FreshRankings {
    const given = new IdSet();
    const { id } = this;
    const openSpool = this.#openSpool;
    return async function* fresh() {
      const spool = await openSpool();
      for await (const line of spool.rankings(id)) if (given.add(rankingId(line))) yield line;
    };
  }

  /** The records of a run that is over whose ranking or failure the spool has no more. */
  async *#damagedItems(spool: Spool): AsyncGenerator<RunItem, void, undefined> {
    const doneIds = new Set<string>();
    const failedLines = new Set<number>();
    for await (const line of spool.rankings(this.id)) doneIds.add(rankingId(line));
    for await (const { line } of spool.failures(this.id)) failedLines.add(line);
    yield* leftItems(spool.records(this.id, doneIds), failedLines, DAMAGED);
  }

  async examples({ withTexts }: { readonly withTexts: boolean }): Promise<RunExamples> {
    return await examplesInSpool(this.id, await this.#openSpool(), withTexts);
  }

  protected async tryAgain(): Promise<number> {
    // A cancellation that was killed half way has left it blocked.
    await this.parts.queue.unblockOwner(runOwner(this.id));
    const { state, counts, waiting, active } = await this.status();
    if (state === "submitted") {
      throw new RankmillError(
        "conflict",
        `run ${this.id} is under way: what failed can be tried again once it is over`,
        { context: { run: this.id } },
      );
    }
    const spool = await this.#openSpool();
    const known = counts.failed + waiting + active;
    const again = known > 0 ? known : await this.#countDamaged(spool);
    if (again === 0) return 0;
    await spool.reopen(this.id);
    await this.parts.store.update(this.id, { state: "submitted", problem: "" });
    return again;
  }

  async #countDamaged(spool: Spool): Promise<number> {
    let left = (await this.info()).total;
    for await (const _ of spool.rankings(this.id)) left -= 1;
    return Math.max(0, left);
  }

  /** @throws RankmillError `conflict` also if a runner owns it for longer than a dead one could */
  protected async removeAll(force: boolean): Promise<void> {
    const spool = await this.#openSpool();
    await this.endForPurge(force);
    const info = await this.info();
    await this.#takeOutFailed(info, spool);
    if (!(await this.#untilUnowned(LEASE_ENDS_MS))) {
      throw new RankmillError(
        "conflict",
        `run ${this.id} is owned by a runner that does not let it go`,
        { context: { run: this.id } },
      );
    }
    await this.#takeOutTracked();
    await this.parts.store.remove(this.id, info);
    await spool.remove(this.id);
  }

  /** Whether its owner lives or not: a dead one's jobs are written down in Redis. */
  protected async takeOut({ total }: RunInfo): Promise<number> {
    const { counts } = await this.parts.store.readProgress(this.id);
    await this.#takeOutTracked();
    // Until it lets go, an owner may enqueue again what it finds missing.
    if (await this.#untilUnowned(OWNER_LETS_GO_MS)) await this.#takeOutTracked();
    return total - counts.done - counts.failed;
  }

  protected async hasOpen(): Promise<boolean> {
    return !(await this.status()).over;
  }

  protected async sampleJobs(): Promise<JobSample> {
    return await sampleTrackedJobs(this.parts.store, this.id);
  }

  async #takeOutTracked(): Promise<void> {
    const { store, queue } = this.parts;
    for (;;) {
      const jobIds = await store.someJobs(this.id, CHUNK_JOBS);
      if (jobIds.length === 0) break;
      await queue.release(jobIds, runOwner(this.id));
      await store.dropJobs(this.id, jobIds);
    }
    await queue.dropUnwanted();
  }

  /** BullMQ keeps some of the jobs that failed, and nothing in Redis says any more whose they are. */
  async #takeOutFailed(info: RunInfo, spool: Spool): Promise<void> {
    for await (const { input } of spool.failures(this.id)) {
      let jobId: string;
      try {
        const request = parseRequest(input, DEFAULT_LIMITS, 0, "");
        const settings = { priority: "bulk", ttlSeconds: info.ttlSeconds } as const;
        ({ jobId } = makeJob(request, info, settings));
      } catch {
        // A record that was refused: it never was a job.
        continue;
      }
      await this.parts.queue.cancel([jobId], runOwner(this.id));
    }
  }

  async #untilUnowned(ms: number): Promise<boolean> {
    const deadline = performance.now() + ms;
    while ((await this.parts.store.owner(this.id)) !== undefined) {
      if (performance.now() > deadline) return false;
      await sleep(POLL_MS);
    }
    return true;
  }
}
