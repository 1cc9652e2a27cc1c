import { setTimeout as sleep } from "node:timers/promises";
import { describeError, isRetryable, RankmillError } from "../../core/errors.js";
import type { Health } from "../../core/lane-health.js";
import type { BatchShape } from "../../core/cost/lane-cost.js";
import type { BatchSource } from "../../core/ports/batch-source.js";
import { LaneProcess, type LaneProcessOptions, type LaneState } from "./lane-process.js";

export interface LanePoolOptions extends LaneProcessOptions {
  readonly lanes: number;
  readonly onEvent: (event: LaneEvent) => void;
  /** Cards that the lanes share out in turn; undefined if the device has none. */
  readonly cards?: number | undefined;
}

export type LaneEvent =
  | {
      readonly type: "ready";
      readonly lane: number;
      readonly pid: number;
      /** See {@link LaneProcess.tooLarge}. */
      readonly tooLarge?: BatchShape | undefined;
    }
  | { readonly type: "died"; readonly lane: number; readonly pid: number; readonly reason: string }
  /** Replaced on purpose, with nothing in its hands. */
  | {
      readonly type: "recycled";
      readonly lane: number;
      readonly pid: number;
      readonly reason: string;
    }
  | {
      readonly type: "backing-off";
      readonly lane: number;
      readonly backoffMs: number;
      readonly reason: string;
    }
  | { readonly type: "gave-up"; readonly reason: string };

const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 15_000;
/** Starts in a row, over all lanes, without a single one that became ready. */
const MAX_FAILED_STARTS = 8;
/**
 * Deaths of a slot in a row, none of whose processes answered a message: a crash loop. A single
 * pair that kills its lane, found by halving its message, comes to less.
 */
const CRASH_LOOP_DEATHS = 6;
/** A lane that lives this long without work is out of the loop as well. */
const STEADY_MS = 60_000;

/** The state of a slot, or of the lane in it. */
export type SlotState = LaneState | "backing-off" | "closed";

/** One place for a lane; its processes come and go. */
interface Slot {
  lane: LaneProcess | undefined;
  /** While there is no lane in it. */
  empty: "starting" | "backing-off" | "closed";
  readyAtMs: number;
  /** Deaths in a row without an answered message between them. */
  deaths: number;
  /** Reason of the last death. */
  reason: string;
}

/**
 * Keeps N lanes at work and replaces those that die.
 *
 * A slot is *starting* until its process is ready, *serving* while it is alive, *backing off* after
 * a death, and *closed* at the end. The first death after an answered message is replaced at once;
 * from the second in a row on the slot waits 250 ms doubling to 15 s, and from the sixth it counts as
 * a *crash loop*, until one of its processes answers a message or lives for a minute. A lane that is
 * recycled did not die.
 *
 * Health is *ok*; *degraded* while a slot is in a crash loop; *failed* while all are, with the reason
 * of the last death, or once the pool has given up: if the model itself is unusable, or
 * {@link MAX_FAILED_STARTS} starts failed in a row. Then `failed` resolves and no slot goes on.
 */
export class LanePool {
  /** Resolves with the reason once the pool has given up; never rejects. */
  readonly failed: Promise<RankmillError>;
  readonly #options: LanePoolOptions;
  readonly #work: BatchSource;
  readonly #slots: readonly Slot[];
  readonly #closing = new AbortController();
  #kept: Promise<void>[] = [];
  #failedStarts = 0;
  #gaveUp: string | undefined;
  #giveUp: (error: RankmillError) => void = () => {};
  readonly #firstReady: Promise<void>;
  #markReady: () => void = () => {};

  constructor(work: BatchSource, options: LanePoolOptions) {
    this.#work = work;
    this.#options = options;
    this.#slots = Array.from({ length: options.lanes }, () => ({
      lane: undefined,
      empty: "starting",
      readyAtMs: 0,
      deaths: 0,
      reason: "",
    }));
    this.failed = new Promise((resolve) => {
      this.#giveUp = resolve;
    });
    this.#firstReady = new Promise((resolve) => {
      this.#markReady = resolve;
    });
  }

  get lanes(): readonly LaneProcess[] {
    return this.#slots.map(({ lane }) => lane).filter((lane) => lane !== undefined);
  }

  /** One entry per slot. */
  get states(): readonly SlotState[] {
    return this.#slots.map(({ lane, empty }) => lane?.state ?? empty);
  }

  /** State and own memory of each slot, the memory as of its lane's last message. */
  get figures(): readonly { readonly state: SlotState; readonly bytes: number }[] {
    return this.#slots.map(({ lane, empty }) => ({
      state: lane?.state ?? empty,
      bytes: lane?.residentBytes ?? 0,
    }));
  }

  get health(): Health {
    if (this.#gaveUp !== undefined) return { status: "failed", reason: this.#gaveUp };
    const looping = this.#slots.filter(isLooping);
    const [first] = looping;
    if (first === undefined) return { status: "ok" };
    const reason = `${looping.length} of ${this.#slots.length} lanes die again and again: ${first.reason}`;
    return { status: looping.length === this.#slots.length ? "failed" : "degraded", reason };
  }

  /**
   * Starts all lanes; resolves when the first is ready.
   *
   * @throws RankmillError if the model cannot be used, no lane starts, or the pool is closed
   */
  async start(): Promise<void> {
    this.#kept = this.#slots.map((slot, id) => this.#keep(slot, id));
    const closed = Promise.all(this.#kept).then(() => new RankmillError("cancelled", "closed"));
    const failure = await Promise.race([this.#firstReady, this.failed, closed]);
    if (failure instanceof RankmillError) {
      await this.close();
      throw failure;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const dying = this.lanes;
    for (const lane of dying) lane.kill();
    await Promise.all([...dying.map((lane) => lane.died), ...this.#kept]);
  }

  /** Keeps a slot filled until the pool closes or gives up. */
  async #keep(slot: Slot, id: number): Promise<void> {
    await this.#fill(slot, id);
    slot.empty = "closed";
  }

  async #fill(slot: Slot, id: number): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        const lane = await LaneProcess.start(id, this.#optionsOf(id), signal);
        this.#failedStarts = 0;
        await this.#serve(slot, lane);
      } catch (error) {
        if (signal.aborted) return;
        this.#failedStarts += 1;
        if (!isRetryable(error) || this.#failedStarts >= MAX_FAILED_STARTS) {
          this.#abandon(error);
          return;
        }
        slot.deaths += 1;
        slot.reason = describeError(error).message;
        await this.#backOff(slot, id, 1);
        continue;
      }
      await this.#backOff(slot, id, 2);
    }
  }

  #optionsOf(id: number): LaneProcessOptions {
    const { model, cards } = this.#options;
    if (cards === undefined) return this.#options;
    return { ...this.#options, model: { ...model, card: id % cards } };
  }

  /** @param from deaths in a row from which on a slot waits */
  async #backOff(slot: Slot, lane: number, from: number): Promise<void> {
    const { deaths, reason } = slot;
    const { signal } = this.#closing;
    if (deaths < from || signal.aborted) return;
    const backoffMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (deaths - from));
    this.#options.onEvent({ type: "backing-off", lane, backoffMs, reason });
    slot.empty = "backing-off";
    await sleep(backoffMs, undefined, { signal }).catch(() => {});
    slot.empty = "starting";
  }

  async #serve(slot: Slot, lane: LaneProcess): Promise<void> {
    const { signal } = this.#closing;
    const { onEvent } = this.#options;
    if (signal.aborted) {
      lane.kill();
      await lane.died;
      return;
    }
    slot.lane = lane;
    slot.readyAtMs = performance.now();
    onEvent({ type: "ready", lane: lane.id, pid: lane.pid, tooLarge: lane.tooLarge });
    this.#markReady();
    // An idle lane that dies has nothing in hand: its death must still end the serving.
    const serving = new AbortController();
    const stop = (): void => serving.abort();
    signal.addEventListener("abort", stop, { once: true });
    void lane.died.then(stop);
    let recycled: string | undefined;
    try {
      recycled = await this.#work.serve(lane, serving.signal);
    } catch {
      // Its batch is already back in other hands; the reason comes with `died`.
    } finally {
      signal.removeEventListener("abort", stop);
      if (recycled === undefined) lane.kill();
      else await lane.drain(recycled);
      const reason = await lane.died;
      slot.lane = undefined;
      if (lane.answered || recycled !== undefined) slot.deaths = 0;
      if (!signal.aborted) {
        const type = recycled === undefined ? "died" : "recycled";
        if (type === "died") {
          slot.deaths += 1;
          slot.reason = reason;
        }
        onEvent({ type, lane: lane.id, pid: lane.pid, reason });
      }
    }
  }

  #abandon(error: unknown): void {
    const { code, message } = describeError(error);
    this.#gaveUp = message;
    this.#options.onEvent({ type: "gave-up", reason: message });
    this.#giveUp(error instanceof RankmillError ? error : new RankmillError(code, message));
    this.#closing.abort();
    for (const lane of this.lanes) lane.kill();
  }
}

function isLooping({ lane, readyAtMs, deaths }: Slot): boolean {
  if (deaths < CRASH_LOOP_DEATHS) return false;
  if (lane === undefined) return true;
  return !lane.answered && performance.now() - readyAtMs < STEADY_MS;
}
