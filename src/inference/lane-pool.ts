import { setTimeout as sleep } from "node:timers/promises";
import { describeError, isRetryable, RankmillError } from "../core/errors.js";
import type { LaneWork } from "../core/ports.js";
import { LaneProcess, type LaneProcessOptions } from "./lane-process.js";

export interface LanePoolOptions extends LaneProcessOptions {
  readonly lanes: number;
  readonly onEvent: (event: LaneEvent) => void;
}

export type LaneEvent =
  | { readonly type: "ready"; readonly lane: number; readonly pid: number }
  | { readonly type: "died"; readonly lane: number; readonly pid: number; readonly reason: string }
  | { readonly type: "gave-up"; readonly reason: string };

const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 15_000;
/** Starts in a row, over all lanes, without a single one that became ready. */
const MAX_FAILED_STARTS = 8;

/**
 * Keeps N lanes at work and replaces those that die.
 *
 * A slot is *starting* until its process is ready, *serving* while it is alive, *backing off* after
 * a death (at once the first time, then 250 ms doubling to 15 s while starts keep failing), and
 * *closed* at the end. The pool gives up where the model itself is unusable, or where
 * {@link MAX_FAILED_STARTS} starts failed in a row: then `failed` resolves and no slot goes on.
 */
export class LanePool {
  /** Resolves with the reason once the pool has given up; never rejects. */
  readonly failed: Promise<RankmillError>;
  readonly #options: LanePoolOptions;
  readonly #work: LaneWork;
  readonly #lanes = new Set<LaneProcess>();
  readonly #closing = new AbortController();
  #slots: Promise<void>[] = [];
  #failedStarts = 0;
  #giveUp: (error: RankmillError) => void = () => {};
  readonly #firstReady: Promise<void>;
  #markReady: () => void = () => {};

  constructor(work: LaneWork, options: LanePoolOptions) {
    this.#work = work;
    this.#options = options;
    this.failed = new Promise((resolve) => {
      this.#giveUp = resolve;
    });
    this.#firstReady = new Promise((resolve) => {
      this.#markReady = resolve;
    });
  }

  get lanes(): readonly LaneProcess[] {
    return [...this.#lanes];
  }

  /**
   * Starts all lanes; resolves when the first is ready.
   *
   * @throws RankmillError where the model cannot be used, or no lane starts
   */
  async start(): Promise<void> {
    this.#slots = Array.from({ length: this.#options.lanes }, (_, id) => this.#keep(id));
    const failure = await Promise.race([this.#firstReady, this.failed]);
    if (failure instanceof RankmillError) {
      await this.close();
      throw failure;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const dying = [...this.#lanes];
    for (const lane of dying) lane.kill();
    await Promise.all([...dying.map((lane) => lane.died), ...this.#slots]);
  }

  /** Keeps slot `id` filled until the pool closes or gives up. */
  async #keep(id: number): Promise<void> {
    const { signal } = this.#closing;
    let deaths = 0;
    while (!signal.aborted) {
      try {
        const lane = await LaneProcess.start(id, this.#options);
        this.#failedStarts = 0;
        await this.#serve(lane);
        deaths = 0;
      } catch (error) {
        if (signal.aborted) return;
        this.#failedStarts += 1;
        if (!isRetryable(error) || this.#failedStarts >= MAX_FAILED_STARTS) {
          this.#abandon(error);
          return;
        }
        deaths += 1;
        const backoffMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (deaths - 1));
        await sleep(backoffMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #serve(lane: LaneProcess): Promise<void> {
    const { signal } = this.#closing;
    const { onEvent } = this.#options;
    if (signal.aborted) {
      lane.kill();
      await lane.died;
      return;
    }
    this.#lanes.add(lane);
    onEvent({ type: "ready", lane: lane.id, pid: lane.pid });
    this.#markReady();
    // An idle lane that dies has nothing in hand: its death must still end the serving.
    const serving = new AbortController();
    const stop = (): void => serving.abort();
    signal.addEventListener("abort", stop, { once: true });
    void lane.died.then(stop);
    try {
      await this.#work.serve(lane, serving.signal);
    } catch {
      // Its batch is already back in other hands; the reason comes with `died`.
    } finally {
      signal.removeEventListener("abort", stop);
      lane.kill();
      const reason = await lane.died;
      this.#lanes.delete(lane);
      if (!signal.aborted) onEvent({ type: "died", lane: lane.id, pid: lane.pid, reason });
    }
  }

  #abandon(error: unknown): void {
    const { code, message } = describeError(error);
    this.#options.onEvent({ type: "gave-up", reason: message });
    this.#giveUp(error instanceof RankmillError ? error : new RankmillError(code, message));
    this.#closing.abort();
    for (const lane of this.#lanes) lane.kill();
  }
}
