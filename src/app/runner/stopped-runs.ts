import { describeError } from "../../core/errors.js";
import type { Health } from "../../core/lane-health.js";
import { asRedisError } from "../../redis/redis-refusal.js";

/** The pauses between the tries of a run that stops, and how many there are. */
export interface RetryPauses {
  readonly firstMs: number;
  /** Each pause is twice the one before, and none is longer. */
  readonly longestMs: number;
  /** Tries in a row without one more record done before the runner gives the run up. */
  readonly tries: number;
}

/** Some three minutes in all: longer than a restart of a file server or a bucket takes. */
export const RETRY_PAUSES: RetryPauses = { firstMs: 2_000, longestMs: 60_000, tries: 8 };

/** Runs that were given up and are remembered; the state of each stands in Redis. */
const MAX_GIVEN_UP = 100;
/** These end by themselves: a run waits for them without end. */
const WAITED_FOR = new Set(["redis_unavailable", "spool_unavailable"]);

interface Stops {
  readonly tries: number;
  readonly notBeforeMs: number;
  readonly recordsEnded: number;
  readonly reason: string;
}

/** The next step for a run that stopped. */
export type AfterStop =
  | { readonly next: "again"; readonly pauseMs: number }
  | { readonly next: "give up"; readonly reason: string };

/** Runs of a runner that stopped by an error: they are tried again, ever more rarely, and given up in the end. */
export class StoppedRuns {
  readonly #pauses: RetryPauses;
  readonly #stops = new Map<string, Stops>();
  readonly #givenUp = new Map<string, string>();

  constructor(pauses: RetryPauses = RETRY_PAUSES) {
    this.#pauses = pauses;
  }

  /** The number of runs that are tried again, and of those given up. */
  get counts(): { readonly stopped: number; readonly givenUp: number } {
    return { stopped: this.#stops.size, givenUp: this.#givenUp.size };
  }

  get givenUp(): readonly string[] {
    return [...this.#givenUp.keys()];
  }

  get health(): Health {
    const said = [...this.#givenUp].map(([run, reason]) => `run ${run} was given up: ${reason}`);
    for (const [run, { reason }] of this.#stops) said.push(`run ${run} stopped: ${reason}`);
    const [first] = said;
    if (first === undefined) return { status: "ok" };
    const more = said.length === 1 ? "" : ` (and ${said.length - 1} more runs)`;
    return { status: "degraded", reason: `${first}${more}` };
  }

  isResting(run: string): boolean {
    return performance.now() < (this.#stops.get(run)?.notBeforeMs ?? 0);
  }

  /** @param recordsEnded of the run, as far as this runner knows: any more than before, and it counts from one */
  stopped(run: string, error: unknown, recordsEnded: number): AfterStop {
    const { code, message } = describeError(asRedisError(error));
    // Shown in terminals; a file's content may be part of it.
    const reason = message.replaceAll(/\p{Cc}+/gu, " ");
    const before = this.#stops.get(run);
    const moved = before === undefined || recordsEnded > before.recordsEnded;
    const tries = moved ? 1 : before.tries + 1;
    const { firstMs, longestMs } = this.#pauses;
    if (tries >= this.#pauses.tries && !WAITED_FOR.has(code)) {
      this.#stops.delete(run);
      if (this.#givenUp.size < MAX_GIVEN_UP) this.#givenUp.set(run, reason);
      return { next: "give up", reason };
    }
    const pauseMs = Math.min(longestMs, firstMs * 2 ** Math.min(tries - 1, 20));
    this.#stops.set(run, { tries, notBeforeMs: performance.now() + pauseMs, recordsEnded, reason });
    return { next: "again", pauseMs };
  }

  /** Forgets a run: it came to its end, or somebody tries it again. */
  forget(run: string): void {
    this.#stops.delete(run);
    this.#givenUp.delete(run);
  }

  /** Forgets the stopped runs that nobody needs to own any more. */
  keepOnly(ownable: ReadonlyMap<string, unknown>): void {
    for (const run of this.#stops.keys()) if (!ownable.has(run)) this.#stops.delete(run);
    for (const run of this.#givenUp.keys()) if (ownable.has(run)) this.#givenUp.delete(run);
  }
}
