import { median } from "../support/statistics.js";
import type { BenchJob, OpenWay } from "./way.js";

interface Shape {
  readonly what: string;
  readonly jobs: number;
  readonly documents: number;
  readonly inFlight: number;
}

const SHAPES: readonly Shape[] = [
  { what: "1 in flight", jobs: 16, documents: 20, inFlight: 1 },
  { what: "4 in flight", jobs: 16, documents: 20, inFlight: 4 },
  { what: "64 in flight", jobs: 64, documents: 8, inFlight: 64 },
  { what: "small jobs", jobs: 128, documents: 5, inFlight: 64 },
  { what: "medium jobs", jobs: 12, documents: 50, inFlight: 12 },
  { what: "large jobs", jobs: 1, documents: 1_000, inFlight: 1 },
];
/** Rankmill alone, so nothing is interleaved; three see an outlier. */
const MAX_REPETITIONS = 3;

/** Throughput by jobs in flight and by documents a job. */
export async function measureShapes(
  way: OpenWay,
  repetitions: number,
  sample: (sizes: readonly number[]) => Promise<readonly BenchJob[]>,
): Promise<string[][]> {
  const rows: string[][] = [];
  for (const { what, jobs: count, documents, inFlight } of SHAPES) {
    const jobs = await sample(Array.from({ length: count }, () => documents));
    await way.score(jobs.slice(0, Math.max(1, count >> 3)), inFlight);
    const seconds: number[] = [];
    for (let i = 0; i < Math.min(MAX_REPETITIONS, repetitions); i += 1) {
      seconds.push((await way.score(jobs, inFlight)).seconds);
    }
    const perSecond = (count * documents) / median(seconds);
    rows.push([what, String(count), String(documents), String(inFlight), perSecond.toFixed(1)]);
  }
  return rows;
}
