import { setTimeout as sleep } from "node:timers/promises";
import { SingleFlightPoll } from "../platform/single-flight-poll.js";
import type { RedisClient } from "./redis-client.js";
import { pingAll } from "./redis-servers.js";

export interface AnswerWatchOptions {
  readonly redis: RedisClient;
  /** Told once each time that Redis falls silent. */
  readonly onSilent: (silentMs: number) => void;
  /** Told once it answers again. */
  readonly onAnswer: (silentMs: number) => void;
  /** The time without an answer after which Redis counts as silent. Default: 10 s. */
  readonly silentMs?: number | undefined;
}

/** A restart of Redis that is over sooner is nobody's business. */
const SILENT_MS = 10_000;
const ASKS_PER_SILENCE = 5;

/**
 * Tells when a Redis falls silent: one that accepts commands and never answers looks, to whoever
 * waits for it, like one with nothing to do.
 *
 * *answering* → *silent* → *answering* … until `stop`.
 */
export class AnswerWatch {
  readonly #stopping = new AbortController();

  constructor(options: AnswerWatchOptions) {
    void this.#watch(options, this.#stopping.signal);
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #watch(options: AnswerWatchOptions, signal: AbortSignal): Promise<void> {
    const { redis, onSilent, onAnswer, silentMs = SILENT_MS } = options;
    const intervalMs = silentMs / ASKS_PER_SILENCE;
    const ping = new SingleFlightPoll(() => pingAll(redis).then(() => true), intervalMs);
    let answeredAtMs = performance.now();
    let silent = false;
    while (!signal.aborted) {
      const answered = (await ping.answer()) === true;
      const forMs = performance.now() - answeredAtMs;
      if (signal.aborted) return;
      if (answered) {
        if (silent) onAnswer(forMs);
        answeredAtMs = performance.now();
        silent = false;
      } else if (!silent && forMs >= silentMs) {
        onSilent(forMs);
        silent = true;
      }
      await sleep(intervalMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}
