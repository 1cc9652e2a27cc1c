import type { NewJob } from "../../core/job.js";
import { addCounts, emptyCounts } from "../../core/run-counts.js";
import { sampleChunkJobs, type JobSample } from "../../redis/run-footprint.js";
import type { RunInfo } from "../../redis/run-info.js";
import { countEnded, endedEntries, isJob, itemOf, jobsOf } from "../../runs/run-chunks.js";
import { CANCELLED, type RunItem } from "../../runs/run-item.js";
import { runOwner } from "../../runs/run-parts.js";
import type { RunState, RunStatus } from "../../runs/run-status.js";
import { examplesInRedis } from "./find-examples.js";
import { ChunkRankings } from "./chunk-rankings.js";
import type { FreshRankings } from "./follow-rankings.js";
import { RunBase } from "./run-base.js";
import type { RunExamples } from "./run-examples.js";

/** Chunks of a run that are asked about at once: each is several round trips. */
const CONCURRENT_CHUNKS = 8;

/**
 * A run whose records lie in Redis, in chunks of lines in their order. All of its jobs are enqueued
 * when it is submitted; workers do the rest, and its results stand in the result store alone.
 */
export class RedisRun extends RunBase {
  readonly place = "redis";

  /** Looks at every open chunk, closes those that are over, and counts. */
  protected async readStatus(): Promise<RunStatus> {
    const info = await this.info();
    const { store, queue, results } = this.parts;
    const closed = await store.closedChunks(this.id);
    const counts = emptyCounts();
    for (const one of closed.values()) addCounts(counts, one);
    const activeIds = closed.size < info.chunks ? await queue.activeIds() : new Set();
    let active = 0;
    await this.#eachChunk(info, async (chunk) => {
      if (closed.has(chunk) || chunk >= info.chunks) return;
      const ended = await endedEntries(await store.readChunk(this.id, chunk), info, results);
      const own = countEnded(ended);
      addCounts(counts, own);
      if (ended.every(({ end }) => end !== undefined)) {
        await store.closeChunk(this.id, chunk, own, info.ttlSeconds);
      }
      for (const { entry, end } of ended) {
        if (end === undefined && isJob(entry) && activeIds.has(entry.job.jobId)) active += 1;
      }
    });
    const open = info.total - counts.done - counts.failed;
    const over = info.state !== "submitting" && open === 0;
    const state = await this.#settle(info.state, over);
    if (state === "complete" && info.state === "submitted") {
      const moment = { total: info.total, counts, speed: undefined, isLast: true };
      await store.history.note(this.id, moment);
    }
    return { state, over, total: info.total, counts, waiting: open - active, active };
  }

  /** Marks the run as what its records say. @returns its state by now */
  async #settle(state: RunState, over: boolean): Promise<RunState> {
    const { store } = this.parts;
    if (over && state === "submitted") {
      await store.complete(this.id);
      return "complete";
    }
    // A retry that died half way has opened a chunk of it again.
    if (!over && state === "complete") {
      await store.update(this.id, { state: "submitted" });
      return "submitted";
    }
    return state;
  }

  protected async *readItems(): AsyncGenerator<RunItem, void, undefined> {
    const info = await this.info();
    for (let chunk = 0; chunk < info.chunks; chunk += 1) {
      const entries = await this.parts.store.readChunk(this.id, chunk);
      for (const ended of await endedEntries(entries, info, this.parts.results)) {
        yield itemOf(ended);
      }
    }
  }

  protected freshRankings(): FreshRankings {
    const { store, results } = this.parts;
    const reader = new ChunkRankings({ run: this.id, redis: this.redis, store, results });
    return () => reader.fresh();
  }

  async examples({ withTexts }: { readonly withTexts: boolean }): Promise<RunExamples> {
    return await examplesInRedis(this.id, await this.info(), this.parts, withTexts);
  }

  protected async tryAgain(): Promise<number> {
    const info = await this.info();
    const { store, queue } = this.parts;
    // A cancellation that was killed half way has left it blocked.
    await queue.unblockOwner(runOwner(this.id));
    const closed = await store.closedChunks(this.id);
    await store.update(this.id, { state: "submitted" });
    let retried = 0;
    for (let chunk = 0; chunk < info.chunks; chunk += 1) {
      if (closed.get(chunk)?.failed === 0) continue;
      const again = await this.#unranked(await this.#jobs(chunk));
      // Also if there is nothing to do: another run may have had its cancelled records ranked.
      if (closed.has(chunk)) await store.reopenChunk(this.id, chunk);
      if (again.length > 0) await queue.enqueue(again, runOwner(this.id));
      retried += again.length;
    }
    // Somebody may have found it over before its first chunk was opened again.
    await store.update(this.id, { state: "submitted" });
    return retried;
  }

  /** The jobs that failed, and those that neither ended nor wait. */
  async #unranked(jobs: readonly NewJob[]): Promise<NewJob[]> {
    const ids = jobs.map(({ jobId }) => jobId);
    const ends = await this.parts.results.read(ids);
    const states = await this.parts.queue.states(ids);
    return jobs.filter((_, i) => {
      const end = ends[i];
      return end === undefined ? states[i] !== "queued" : end.status === "failed";
    });
  }

  protected async removeAll(force: boolean): Promise<void> {
    const { store, queue } = this.parts;
    await this.endForPurge(force);
    const info = await this.info();
    await this.#eachChunk(info, async (chunk) => {
      const jobIds = (await this.#jobs(chunk)).map(({ jobId }) => jobId);
      const states = await queue.states(jobIds);
      // BullMQ keeps some of those that failed.
      const failed = jobIds.filter((_, i) => states[i] === "failed");
      await queue.cancel(failed, runOwner(this.id));
      await queue.release(jobIds, runOwner(this.id));
    });
    await queue.dropUnwanted();
    await store.remove(this.id, info);
  }

  /** Each chunk is closed with it: another run may wait for one of its jobs, and a ranking for that changes no figure here. */
  protected async takeOut(info: RunInfo): Promise<number> {
    const { store, queue, results } = this.parts;
    const closed = await store.closedChunks(this.id);
    let stopped = 0;
    await this.#eachChunk(info, async (chunk) => {
      if (closed.has(chunk)) return;
      const entries = await store.readChunk(this.id, chunk);
      const ended = await endedEntries(entries, { ...info, state: "cancelled" }, results);
      const open = ended.filter(({ end }) => end === CANCELLED);
      const jobIds = open.flatMap(({ entry }) => (isJob(entry) ? [entry.job.jobId] : []));
      await queue.release(jobIds, runOwner(this.id));
      stopped += open.length;
      if (chunk >= info.chunks) return;
      await store.closeChunk(this.id, chunk, countEnded(ended), info.ttlSeconds);
    });
    await queue.dropUnwanted();
    return stopped;
  }

  /** Workers take the oldest: the newest chunk is open as long as any is, nearly always. */
  protected async hasOpen(): Promise<boolean> {
    const info = await this.info();
    const closed = await this.parts.store.closedChunks(this.id);
    for (let chunk = info.chunks - 1; chunk >= 0; chunk -= 1) {
      if (closed.has(chunk)) continue;
      const entries = await this.parts.store.readChunk(this.id, chunk);
      const ended = await endedEntries(entries, info, this.parts.results);
      if (ended.some(({ end }) => end === undefined)) return true;
    }
    return false;
  }

  protected async sampleJobs(info: RunInfo): Promise<JobSample> {
    return await sampleChunkJobs(this.parts.store, this.id, info);
  }

  /**
   * Acts on every chunk, the newest first: workers take the oldest. A submission that died has written
   * one chunk more than it counted.
   */
  async #eachChunk({ chunks }: RunInfo, act: (chunk: number) => Promise<void>): Promise<void> {
    const left = Array.from({ length: chunks + 1 }, (_, chunk) => chunk);
    const work = async (): Promise<void> => {
      for (let chunk = left.pop(); chunk !== undefined; chunk = left.pop()) await act(chunk);
    };
    await Promise.all(Array.from({ length: CONCURRENT_CHUNKS }, work));
  }

  async #jobs(chunk: number): Promise<NewJob[]> {
    return jobsOf(await this.parts.store.readChunk(this.id, chunk));
  }
}
