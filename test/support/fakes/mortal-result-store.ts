import type { JobEnd } from "../../../src/core/job.js";
import type { ResultStore, Started } from "../../../src/core/ports/result-store.js";

/** A result store as one worker has it: after the worker's death none of its commands arrives, nor an answer. */
export class MortalResultStore implements ResultStore {
  readonly #store: ResultStore;
  readonly #worker: { readonly dead: boolean };

  constructor(store: ResultStore, worker: { readonly dead: boolean }) {
    this.#store = store;
    this.#worker = worker;
  }

  async begin(jobId: string): Promise<Started> {
    return await this.#unlessDead(() => this.#store.begin(jobId));
  }

  async commit(jobId: string, fence: number, end: JobEnd, ttlSeconds: number): Promise<boolean> {
    return await this.#unlessDead(() => this.#store.commit(jobId, fence, end, ttlSeconds));
  }

  async read(jobIds: readonly string[]): Promise<(JobEnd | undefined)[]> {
    return await this.#unlessDead(() => this.#store.read(jobIds));
  }

  async accuse(jobId: string, pair: number): Promise<number> {
    return await this.#unlessDead(() => this.#store.accuse(jobId, pair));
  }

  async absolve(jobId: string, pair: number): Promise<void> {
    await this.#unlessDead(() => this.#store.absolve(jobId, pair));
  }

  async #unlessDead<Result>(command: () => Promise<Result>): Promise<Result> {
    // The command is on its way: a worker that dies now has not sent it.
    await Promise.resolve();
    return await (this.#worker.dead ? new Promise<never>(() => {}) : command());
  }
}
