import type { Arena } from "./arena.js";

/** A fault as it is planned, logged and replayed. */
export interface Fault {
  /** Time since the first fault could have come; it stands still between rounds. */
  readonly atMs: number;
  readonly kind: string;
  /** Which of several victims, as a share of 1. */
  readonly pick: number;
  /** How long it lasts, for kinds that last. */
  readonly seconds: number;
}

export interface FaultKind {
  /** Shortest and longest duration in seconds; absent: over at once. */
  readonly lasts?: readonly [number, number];
  /** The part that only one fault disturbs at a time. */
  readonly part?: "redis" | "proxy" | "disk" | "freeze";
  /** @returns undefined if there is nobody to hit at present */
  readonly strike: (arena: Arena, fault: Fault) => Promise<Struck | undefined>;
}

export interface Struck {
  /** The victim, for the log. */
  readonly victim: string;
  /** Ends the fault; absent: over already. */
  readonly heal?: () => Promise<void> | void;
}

/** The victim that a fault picks. */
export function pickOf<T>(items: readonly T[], { pick }: Fault): T | undefined {
  return items[Math.min(items.length - 1, Math.floor(pick * items.length))];
}
