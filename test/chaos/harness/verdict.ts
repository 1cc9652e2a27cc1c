import { readLines } from "../../support/records.js";

/** What the invariants are about. All but the standstill must be zero. */
export interface Verdict {
  lost: number;
  doubled: number;
  different: number;
  leftOverKeys: number;
  orphans: number;
  /** Runs that stood still until the harness gave up. */
  stuck: number;
  longestStandstillSeconds: number;
}

export function emptyVerdict(): Verdict {
  return {
    lost: 0,
    doubled: 0,
    different: 0,
    leftOverKeys: 0,
    orphans: 0,
    stuck: 0,
    longestStandstillSeconds: 0,
  };
}

/** Output and failed file, as lines. */
export interface Lines {
  readonly ranked: readonly string[];
  readonly failed: readonly string[];
}

export function readOutput(output: string): Lines {
  return {
    ranked: readLines(output),
    failed: readLines(output.replace(/\.jsonl$/, ".failed.jsonl")),
  };
}

/** The lines of `actual` and `expected` compared, whatever their order. */
export function compare(
  expected: Lines,
  actual: Lines,
): Pick<Verdict, "lost" | "doubled" | "different"> {
  const want = byRecord(expected);
  const have = byRecord(actual);
  let [lost, doubled, different] = [0, 0, 0];
  for (const [record, [line]] of want) {
    const lines = have.get(record) ?? [];
    if (lines.length === 0) lost += 1;
    else doubled += lines.length - 1;
    if (lines.some((one) => one !== line)) different += 1;
  }
  for (const record of have.keys()) if (!want.has(record)) different += 1;
  return { lost, doubled, different };
}

/** Lines by the record that they are about: its id, or its place if it has none. */
function byRecord({ ranked, failed }: Lines): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const line of [...ranked, ...failed]) {
    const { id, line: place } = JSON.parse(line) as { id?: string; line?: number };
    const record = id ?? `line ${String(place)}`;
    found.set(record, [...(found.get(record) ?? []), line]);
  }
  return found;
}

/** @returns a sentence for each invariant that does not hold */
export function violations(verdict: Verdict, standstillSeconds: number): string[] {
  const { longestStandstillSeconds, ...counts } = verdict;
  const broken = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name}: ${count}, and none is allowed`);
  if (longestStandstillSeconds >= standstillSeconds) {
    const seconds = longestStandstillSeconds.toFixed(1);
    broken.push(`longest standstill: ${seconds} s, and ${standstillSeconds} s is the bound`);
  }
  return broken;
}
