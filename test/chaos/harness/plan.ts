import { readFileSync } from "node:fs";
import { z } from "zod";
import { SeededRandom } from "../../support/random.js";
import type { Fault } from "./fault.js";
import { FAULT_KINDS } from "./fault-kinds.js";

/** Faults are so far apart, two seconds on average. */
const LEAST_GAP_MS = 1_000;
const MOST_GAP_MS = 3_000;

const faultSchema = z.object({
  atMs: z.number(),
  kind: z.enum(Object.keys(FAULT_KINDS)),
  pick: z.number().min(0).lt(1),
  seconds: z.number().min(0),
});

/**
 * All faults of a seed. Each kind comes once before any comes again, save that one whose part is
 * disturbed already waits for its turn.
 */
export function planFaults(seed: number, minutes: number, kinds: readonly string[]): Fault[] {
  const random = new SeededRandom(seed);
  const faults: Fault[] = [];
  const busyUntilMs = new Map<string, number>();
  let deck: string[] = [];
  let atMs = 0;
  for (;;) {
    atMs += random.between(LEAST_GAP_MS, MOST_GAP_MS);
    if (atMs > minutes * 60_000) return faults;
    if (deck.length === 0) deck = random.shuffle(kinds);
    const kind = deck.find((one) => (busyUntilMs.get(partOf(one)) ?? 0) <= atMs);
    if (kind === undefined) continue;
    deck.splice(deck.indexOf(kind), 1);
    const [shortest, longest] = FAULT_KINDS[kind]?.lasts ?? [0, 0];
    const seconds = Math.round((shortest + random.next() * (longest - shortest)) * 10) / 10;
    busyUntilMs.set(partOf(kind), atMs + seconds * 1_000);
    faults.push({ atMs, kind, pick: random.next(), seconds });
  }
}

/** The part that a kind disturbs; a kind without one disturbs none for longer than a moment. */
export function partOf(kind: string): string {
  return FAULT_KINDS[kind]?.part ?? kind;
}

/** The faults of a log that an earlier run has written. */
export function readFaults(path: string): Fault[] {
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  return lines.map((line) => faultSchema.parse(JSON.parse(line)));
}
