import type { ChaosOutcome } from "./run-chaos.js";

/** Everything in one line: what was done, and what it broke. */
export function lastLine(seed: number, { verdict, tally }: ChaosOutcome): string {
  const kinds = tally.sorted().map(([name, { times }]) => `${name} ${times}`);
  return [
    `chaos: seed ${seed}`,
    `${tally.times} faults (${kinds.join(", ")})`,
    `lost ${verdict.lost}`,
    `doubled ${verdict.doubled}`,
    `different ${verdict.different}`,
    `left-over keys ${verdict.leftOverKeys}`,
    `orphans ${verdict.orphans}`,
    `stuck ${verdict.stuck}`,
    `longest standstill ${verdict.longestStandstillSeconds.toFixed(1)} s`,
  ].join(" · ");
}
