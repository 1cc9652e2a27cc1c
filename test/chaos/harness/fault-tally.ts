interface Kind {
  times: number;
  skipped: number;
  /** Seconds from each fault to the next ranking, whatever other faults followed. */
  readonly recoverySeconds: number[];
}

/** Faults by kind, and how long it took after each until work went on. */
export class FaultTally {
  readonly kinds = new Map<string, Kind>();
  readonly #waiting: { readonly kind: Kind; readonly atMs: number }[] = [];

  /** The kinds by name. */
  sorted(): [string, Kind][] {
    return [...this.kinds].sort(([one], [other]) => one.localeCompare(other));
  }

  get times(): number {
    return [...this.kinds.values()].reduce((sum, { times }) => sum + times, 0);
  }

  count(name: string, outcome: { victim: string } | { skipped: string }): void {
    const kind = this.kinds.get(name) ?? { times: 0, skipped: 0, recoverySeconds: [] };
    this.kinds.set(name, kind);
    if ("skipped" in outcome) {
      kind.skipped += 1;
      return;
    }
    kind.times += 1;
    this.#waiting.push({ kind, atMs: performance.now() });
  }

  recovered(): void {
    for (const { kind, atMs } of this.#waiting.splice(0)) {
      kind.recoverySeconds.push((performance.now() - atMs) / 1_000);
    }
  }
}
