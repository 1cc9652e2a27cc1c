/** The faults of one chaos run, one after another, on a clock that stands still between rounds. */
import { setTimeout as sleep } from "node:timers/promises";
import { waitAtMost } from "../../../src/platform/wait-at-most.js";
import type { Arena } from "./arena.js";
import type { Fault } from "./fault.js";
import { FAULT_KINDS } from "./fault-kinds.js";
import { partOf } from "./plan.js";

/** A strike waits for Redis at most this long: another fault may have it down. */
const STRIKE_MS = 8_000;
const FOREVER_MS = 2 ** 30;

export interface StrikeLog {
  /** As each fault comes: what it hit, or why it did not. */
  readonly onFault: (fault: Fault, outcome: { victim: string } | { skipped: string }) => void;
}

/** One that is replayed is so already. */
function aimed(fault: Fault, number: number, aims: readonly string[]): Fault {
  if (number % 2 === 0 || aims.includes(fault.kind)) return fault;
  return { ...fault, kind: aims[Math.floor(number / 2) % aims.length] ?? fault.kind };
}

interface Active {
  readonly heal: () => Promise<void>;
}

export class Strikes {
  readonly #arena: Arena;
  readonly #faults: readonly Fault[];
  readonly #log: StrikeLog;
  readonly #active = new Map<string, Active>();
  #next = 0;
  /** Time of the earlier rounds. */
  #pastMs = 0;

  constructor(arena: Arena, faults: readonly Fault[], log: StrikeLog) {
    this.#arena = arena;
    this.#faults = faults;
    this.#log = log;
  }

  get left(): number {
    return this.#faults.length - this.#next;
  }

  /**
   * Strikes once `from` aborts and until `signal` does, then heals all.
   *
   * @param aims kinds that every second fault is made of
   */
  async during(
    from: AbortSignal,
    signal: AbortSignal,
    aims: readonly string[] = [],
  ): Promise<void> {
    await sleep(from.aborted ? 0 : FOREVER_MS, undefined, { signal: from }).catch(() => undefined);
    const startedMs = performance.now();
    for (;;) {
      const fault = this.#faults[this.#next];
      if (fault === undefined) break;
      const waitMs = fault.atMs - this.#pastMs - (performance.now() - startedMs);
      await sleep(Math.max(0, waitMs), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) break;
      this.#next += 1;
      await this.#strike(aimed(fault, this.#next, aims));
    }
    this.#pastMs += performance.now() - startedMs;
    await sleep(FOREVER_MS, undefined, { signal }).catch(() => undefined);
    await this.healAll();
  }

  async healAll(): Promise<void> {
    for (const { heal } of this.#active.values()) await heal();
  }

  async #strike(fault: Fault): Promise<void> {
    const kind = FAULT_KINDS[fault.kind];
    if (kind === undefined) throw new Error(`no fault is called ${fault.kind}`);
    const part = partOf(fault.kind);
    if (this.#active.has(part)) {
      this.#log.onFault(fault, { skipped: `${part} is disturbed already` });
      return;
    }
    const striking = kind.strike(this.#arena, fault).catch((error: unknown) => {
      // A connection that another fault has taken away.
      this.#log.onFault(fault, { skipped: String(error) });
      return undefined;
    });
    const struck = await waitAtMost(striking, STRIKE_MS);
    if (struck.status === "late") {
      this.#log.onFault(fault, { skipped: "Redis does not answer" });
      // It may come to pass later, and must not last then.
      void striking.then((late) => late?.heal?.());
      return;
    }
    if (struck.value === undefined) {
      this.#log.onFault(fault, { skipped: "nobody to hit" });
      return;
    }
    const { victim, heal } = struck.value;
    this.#log.onFault(fault, { victim });
    if (heal !== undefined) this.#healAfter(part, fault.seconds, heal);
  }

  #healAfter(part: string, seconds: number, heal: () => Promise<void> | void): void {
    let healed: Promise<void> | undefined;
    const healOnce = async (): Promise<void> => {
      clearTimeout(timer);
      healed ??= Promise.resolve(heal()).finally(() => this.#active.delete(part));
      await healed;
    };
    const timer = setTimeout(() => void healOnce(), seconds * 1_000);
    this.#active.set(part, { heal: healOnce });
  }
}
