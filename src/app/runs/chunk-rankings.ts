import type { ResultStore } from "../../core/ports/result-store.js";
import type { RedisClient } from "../../redis/redis-client.js";
import type { RunStore } from "../../redis/run-store.js";
import { waitOut } from "../../redis/wait-out.js";
import { endedEntries, type EndedEntry } from "../../runs/run-chunks.js";

export interface ChunkRankingsOptions {
  readonly run: string;
  readonly redis: RedisClient;
  readonly store: RunStore;
  readonly results: ResultStore;
}

/** The rankings of a run whose chunks lie in Redis, as they come. It holds a byte per record of the run. */
export class ChunkRankings {
  readonly #options: ChunkRankingsOptions;
  /** By chunk: the entries whose ranking was given. */
  readonly #given = new Map<number, Uint8Array>();
  /** By chunk that was read whole: the rankings that it had when it was over. A retry changes their number. */
  readonly #whole = new Map<number, number>();

  constructor(options: ChunkRankingsOptions) {
    this.#options = options;
  }

  /** Rankings that no earlier round has given; a chunk at a time is in memory. */
  async *fresh(): AsyncGenerator<string, void, undefined> {
    const { run, redis, store } = this.#options;
    const { info, closed } = await waitOut(
      async () => ({ info: await store.read(run), closed: await store.closedChunks(run) }),
      { redis },
    );
    for (let chunk = 0; chunk < info.chunks; chunk += 1) {
      const done = closed.get(chunk)?.done;
      if (done !== undefined && this.#whole.get(chunk) === done) continue;
      const ended = await waitOut(
        async () =>
          await endedEntries(await store.readChunk(run, chunk), info, this.#options.results),
        { redis },
      );
      yield* this.#newOf(chunk, ended);
      if (done !== undefined) this.#whole.set(chunk, done);
    }
  }

  *#newOf(chunk: number, ended: readonly EndedEntry[]): Generator<string, void, undefined> {
    const given = this.#given.get(chunk) ?? new Uint8Array(ended.length);
    this.#given.set(chunk, given);
    for (const [place, { end }] of ended.entries()) {
      if (end?.status !== "done" || given[place] === 1) continue;
      // Set before the line is taken: a reader that stops there does not come back.
      given[place] = 1;
      yield end.line;
    }
  }
}
