import { isDeepStrictEqual } from "node:util";
import { processorTime } from "../support/processor-time.js";
import { peakResidentBytesOfTree } from "../support/resident.js";
import { median, shuffled } from "../support/statistics.js";
import type { BenchJob, OpenWay, Scored } from "./way.js";

/** The figures of one way over all repetitions. */
export interface Measured {
  /** Median. */
  readonly seconds: number;
  /** Processor seconds of the way with its producer and its Redis; median. */
  readonly processorSeconds: number;
  /** Cores that others used meanwhile; median. */
  readonly foreignCores: number;
  /** From the start of its process until it could score; median, NaN if the way does not say. */
  readonly startSeconds: number;
  /** The most that its processes held; median, NaN if the way does not say which they are. */
  readonly peakBytes: number;
  /** The scores of its first repetition. */
  readonly scored: Scored;
  /** True if every repetition gave the same logits, to the bit. */
  readonly repeats: boolean;
}

export interface MeasureOptions {
  readonly jobs: readonly BenchJob[];
  /** Scored once by each way before anything counts. */
  readonly warmUp: readonly BenchJob[];
  readonly repetitions: number;
  readonly random: () => number;
  /** True: ways stay open, idle, while others are measured. False: one is open at a time. */
  readonly keepOpen: boolean;
  readonly onRepetition: (line: string) => void;
  /** Leaves a way out that fails. Default: the measurement fails. */
  readonly onFailure?: (way: string, error: unknown) => void;
}

type Sample = Omit<Measured, "scored" | "repeats">;

/** Measures all `ways` side by side: every repetition runs each once, in random order. */
export async function measure<Name extends string>(
  ways: ReadonlyMap<Name, () => Promise<OpenWay>>,
  options: MeasureOptions,
): Promise<Map<Name, Measured>> {
  const opened = new Map<Name, OpenWay>();
  const samples = new Map<Name, Sample[]>();
  const firsts = new Map<Name, Scored>();
  const fickle = new Set<Name>();
  const failed = new Set<Name>();
  const use = async (name: Name): Promise<OpenWay> => {
    const known = opened.get(name);
    if (known !== undefined) return known;
    const way = await ways.get(name)?.();
    if (way === undefined) throw new Error(`no way ${name}`);
    opened.set(name, way);
    await way.score(options.warmUp);
    return way;
  };
  try {
    for (let repetition = 1; repetition <= options.repetitions; repetition += 1) {
      for (const name of shuffled([...ways.keys()], options.random)) {
        if (failed.has(name)) continue;
        const found = await use(name)
          .then(async (way) => ({ way, ...(await timed(way, options.jobs)) }))
          .catch((error: unknown) => {
            if (options.onFailure === undefined) throw error;
            options.onFailure(name, error);
            failed.add(name);
            samples.delete(name);
          });
        if (found === undefined) continue;
        const { way, scored, ...sample } = found;
        if (!firsts.has(name)) firsts.set(name, scored);
        if (!isDeepStrictEqual(firsts.get(name)?.logits, scored.logits)) fickle.add(name);
        samples.set(name, [...(samples.get(name) ?? []), sample]);
        options.onRepetition(`${repetition}/${options.repetitions} ${name} ${describe(sample)}`);
        if (!options.keepOpen) {
          opened.delete(name);
          await way.close();
        }
      }
    }
  } finally {
    await Promise.all([...opened.values()].map((way) => way.close()));
  }
  return new Map(
    [...samples].map(([name, list]) => [
      name,
      {
        ...medians(list),
        scored: firsts.get(name) ?? { seconds: 0, logits: [] },
        repeats: !fickle.has(name),
      },
    ]),
  );
}

async function timed(way: OpenWay, jobs: readonly BenchJob[]): Promise<Omit<Measured, "repeats">> {
  const before = processorTime();
  const started = performance.now();
  const scored = await way.score(jobs);
  const elapsed = (performance.now() - started) / 1000;
  const after = processorTime();
  const processorSeconds = after.ours - before.ours;
  const foreign = after.machine - before.machine - processorSeconds;
  return {
    seconds: scored.seconds,
    processorSeconds,
    foreignCores: Math.max(0, foreign / elapsed),
    startSeconds: way.startSeconds ?? NaN,
    peakBytes: way.pid === undefined ? NaN : peakResidentBytesOfTree(way.pid),
    scored,
  };
}

function medians(samples: readonly Sample[]): Sample {
  return {
    seconds: median(samples.map((sample) => sample.seconds)),
    processorSeconds: median(samples.map((sample) => sample.processorSeconds)),
    foreignCores: median(samples.map((sample) => sample.foreignCores)),
    startSeconds: median(samples.map((sample) => sample.startSeconds)),
    peakBytes: median(samples.map((sample) => sample.peakBytes)),
  };
}

function describe({ seconds, processorSeconds, foreignCores }: Sample): string {
  return `${seconds.toFixed(2)} s, ${processorSeconds.toFixed(1)} s of processor, others on ${foreignCores.toFixed(1)} cores`;
}
