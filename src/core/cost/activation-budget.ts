/** A lane, as an identity: a slot's next process is another one. */
export type LaneKey = object;

export type Grant =
  /** Run it; report with `finished`. */
  | "granted"
  /** This lane must make room first: it is to be replaced, and the work goes to another. */
  | "recycle"
  /** More than the whole budget, which may have been lowered since it was planned. */
  | "refused"
  /** The signal aborted. */
  | "aborted";

interface BudgetRequest {
  readonly lane: LaneKey;
  readonly bytes: number;
  readonly settle: (grant: Grant) => void;
  readonly onOutsized: () => void;
}

/** Share by which a lane may grow beyond its estimate before it counts as drifted. */
const DRIFT_BYTES = 48 * 1024 * 1024;
/** An estimate that proved wrong by much is wrong elsewhere too. */
const LOWERING = 0.8;

/**
 * The one budget from which all lanes take the memory of their activations.
 *
 * ONNX Runtime's arena keeps what it once took, so a lane *holds* the largest batch it ever did, from
 * then until its process is gone. Runs within a lane's share (the budget divided by the lanes) are
 * granted at once. A larger one is *outsized*: it becomes the budget's request, of which there is one
 * at a time. While the request waits, lanes that hold what it needs are told to recycle as they come
 * for more work or idle, and those that hold nothing wait; once it is granted, lanes for whose share
 * there is still room go on beside it. When it ends, its lane is over its share and is recycled,
 * unless the next batch is as large.
 *
 * The budget is lowered when a lane ran out of memory within it, never below `leastBytes`.
 */
export class ActivationBudget {
  readonly #lanes: number;
  readonly #leastBytes: number;
  readonly #keptBytes: number;
  readonly #held = new Map<LaneKey, number>();
  /** Granted batches that did not finish. */
  readonly #running = new Set<LaneKey>();
  #requests: BudgetRequest[] = [];
  #capacity: number;
  /** The lane that runs an outsized batch, or waits with one. */
  #outsized: { readonly lane: LaneKey; readonly bytes: number } | undefined;

  /**
   * @param capacityBytes of all lanes together; Infinity: no bound
   * @param leastBytes lowering stops here
   * @param keptBytes what a lane grows by beside its batches, for which there is room of its own
   */
  constructor(capacityBytes: number, lanes: number, leastBytes = 0, keptBytes = 0) {
    this.#capacity = capacityBytes;
    this.#lanes = lanes;
    this.#leastBytes = Math.min(leastBytes, capacityBytes);
    this.#keptBytes = keptBytes;
  }

  get capacityBytes(): number {
    return this.#capacity;
  }

  get lanes(): number {
    return this.#lanes;
  }

  /** Bytes that every lane may hold at any time. */
  get shareBytes(): number {
    return Math.floor(this.#capacity / this.#lanes);
  }

  heldBytes(lane: LaneKey): number {
    return this.#held.get(lane) ?? 0;
  }

  /** True if an idle `lane` holds what it must not keep, for others need it. */
  mustShed(lane: LaneKey): boolean {
    const held = this.heldBytes(lane);
    if (held === 0 || this.#running.has(lane)) return false;
    if (this.#outsized === undefined) return held > this.shareBytes;
    return this.#outsized.lane !== lane && !this.#fits(this.#outsized);
  }

  /**
   * Waits for room for a batch of `bytes` in `lane`.
   *
   * @param onOutsized called if the batch must wait until others have made room: wake idle lanes,
   *   so that they look at `mustShed`
   */
  async reserve(
    lane: LaneKey,
    bytes: number,
    signal: AbortSignal,
    onOutsized: () => void,
  ): Promise<Grant> {
    const grant = this.#try(lane, bytes);
    if (grant !== undefined) return grant;
    return await new Promise<Grant>((resolve) => {
      const request: BudgetRequest = {
        lane,
        bytes,
        onOutsized,
        settle: (settled) => {
          signal.removeEventListener("abort", leave);
          resolve(settled);
        },
      };
      const leave = (): void => {
        this.#requests = this.#requests.filter((other) => other !== request);
        if (this.#outsized?.lane === lane) this.#outsized = undefined;
        request.settle("aborted");
        this.#settleClaims();
      };
      if (signal.aborted) {
        leave();
        return;
      }
      this.#requests.push(request);
      signal.addEventListener("abort", leave, { once: true });
      onOutsized();
    });
  }

  /**
   * The granted batch is over.
   *
   * @param grownBytes what the lane really grew by since it was ready; 0 if unknown
   * @returns true if that is more than its batches explain: the lane has drifted
   */
  finished(lane: LaneKey, grownBytes: number): boolean {
    this.#running.delete(lane);
    if (this.#outsized?.lane === lane) this.#outsized = undefined;
    this.#settleClaims();
    return grownBytes > this.heldBytes(lane) + this.#keptBytes + DRIFT_BYTES;
  }

  /** The process of `lane` is gone, and with it all that it held. */
  forget(lane: LaneKey): void {
    this.#held.delete(lane);
    this.#running.delete(lane);
    if (this.#outsized?.lane === lane) this.#outsized = undefined;
    this.#requests = this.#requests.filter((request) => {
      if (request.lane === lane) request.settle("aborted");
      return request.lane !== lane;
    });
    this.#settleClaims();
  }

  /**
   * @param from what ran out, if lanes share no memory and so each batch's failure is its own; without
   *   it the whole capacity proved wrong
   * @returns the new capacity; undefined if it cannot be lowered further
   */
  lower(from = this.#capacity): number | undefined {
    const wrong = Math.min(from, this.#capacity);
    const next = Math.max(this.#leastBytes, Math.floor(wrong * LOWERING));
    if (!Number.isFinite(next) || next >= this.#capacity) return undefined;
    this.#capacity = next;
    this.#settleClaims();
    return next;
  }

  #settleClaims(): void {
    const requests = this.#requests;
    // Replaced, never changed in place, by whatever a grant sets off.
    for (const request of requests) {
      const grant = this.#try(request.lane, request.bytes);
      if (grant === undefined) continue;
      this.#requests = this.#requests.filter((other) => other !== request);
      request.settle(grant);
    }
    this.#requests.find((request) => request.lane === this.#outsized?.lane)?.onOutsized();
  }

  /** Undefined: it must wait. */
  #try(lane: LaneKey, bytes: number): Grant | undefined {
    if (bytes > this.#capacity) {
      if (this.#outsized?.lane === lane) this.#outsized = undefined;
      return "refused";
    }
    const held = this.heldBytes(lane);
    const outsized = this.#outsized;
    if (outsized !== undefined && outsized.lane !== lane) {
      const both = this.#othersHold(outsized.lane, lane) + this.#needOf(outsized);
      if (bytes <= this.shareBytes && both + Math.max(held, bytes) <= this.#capacity) {
        return this.#grant(lane, bytes);
      }
      return held > 0 && !this.#running.has(outsized.lane) ? "recycle" : undefined;
    }
    if (bytes <= this.shareBytes) {
      // Its own share is always free, unless another still holds more than its own: that one is
      // shedding. Over its share itself, it must not go on to smaller work.
      if (held > this.shareBytes) return "recycle";
      const others = this.#othersHold(lane);
      return others + Math.max(held, bytes) <= this.#capacity
        ? this.#grant(lane, bytes)
        : undefined;
    }
    // An arena that is too small for it gets larger by all of it: old blocks do not join new ones.
    if (held > 0 && held < bytes && held + bytes > this.#capacity) return "recycle";
    this.#outsized = { lane, bytes };
    return this.#fits(this.#outsized) ? this.#grant(lane, bytes) : undefined;
  }

  #grant(lane: LaneKey, bytes: number): Grant {
    const need = bytes > this.shareBytes ? this.#needOf({ lane, bytes }) : bytes;
    this.#held.set(lane, Math.max(this.heldBytes(lane), need));
    this.#running.add(lane);
    return "granted";
  }

  #fits(batch: { readonly lane: LaneKey; readonly bytes: number }): boolean {
    return this.#othersHold(batch.lane) + this.#needOf(batch) <= this.#capacity;
  }

  /** Bytes that the lane will hold once it has run it. */
  #needOf({ lane, bytes }: { readonly lane: LaneKey; readonly bytes: number }): number {
    const held = this.heldBytes(lane);
    return held >= bytes ? held : held + bytes;
  }

  #othersHold(...except: readonly LaneKey[]): number {
    let sum = 0;
    for (const [lane, bytes] of this.#held) if (!except.includes(lane)) sum += bytes;
    return sum;
  }
}
