import type { BatchFigures, ObserveWork } from "../../core/work-events.js";
import type { Metrics } from "./registry.js";

const COUNTERS = {
  pairs: {
    name: "pairs_total",
    help: "Pairs by outcome",
    label: "outcome",
    values: ["scored", "not_a_number", "pair_too_large", "pair_killed_lane", "text_not_bounded"],
  },
  spared: {
    name: "spared_pairs_total",
    help: "Pairs that no lane was needed for, by reason",
    label: "by",
    values: ["shared", "cached"],
  },
  tokens: {
    name: "tokens_total",
    help: "Tokens that the model read",
    label: "kind",
    values: ["text", "padding"],
  },
} as const;

const HISTOGRAMS = {
  tokenize: {
    name: "tokenize_seconds",
    help: "Time to make a job's pairs of its texts",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
  },
  batchWait: {
    name: "batch_wait_seconds",
    help: "Time that the oldest pair of a message had waited for a lane",
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 10, 30, 60],
  },
  inference: {
    name: "inference_seconds",
    help: "Time from sending a message of one or a few batches to a lane to its answer",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  },
  batchTokens: {
    name: "batch_tokens",
    help: "Tokens of a batch as the model reads it: rows × longest row",
    buckets: [16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384],
  },
  padding: {
    name: "padding_ratio",
    help: "Share of a batch's tokens that is padding",
    buckets: [0, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75],
  },
} as const;

/**
 * Counts jobs and pairs between their queue and the result store. Every series begins with 0: a
 * counter that starts with its first event loses that event to `rate`.
 */
export function countWork(metrics: Metrics, model: string): ObserveWork {
  const pairs = counter(metrics, model, COUNTERS.pairs);
  const spared = counter(metrics, model, COUNTERS.spared);
  const countBatch = countBatches(metrics, model);
  const countLookup = countLookups(metrics, model);
  const refused = metrics
    .counter(
      "refused_commits_total",
      "Attempts whose result was refused, since a newer attempt holds the job",
      ["model"],
    )
    .labels({ model });
  refused.inc(0);
  const tokenize = histogram(metrics, model, HISTOGRAMS.tokenize);
  const batchWait = histogram(metrics, model, HISTOGRAMS.batchWait);
  const inference = histogram(metrics, model, HISTOGRAMS.inference);
  return (event) => {
    switch (event.type) {
      case "tokenized":
        tokenize(event.tookMs / 1_000);
        break;
      case "departed":
        batchWait(event.waitedMs / 1_000);
        break;
      case "inferred":
        inference(event.tookMs / 1_000);
        for (const batch of event.batches) countBatch(batch);
        break;
      case "settled":
        pairs(event.outcome, event.pairs);
        break;
      case "spared":
        spared(event.by, event.pairs);
        break;
      case "looked-up":
        if (event.in === "scores") spared("cached", event.hits);
        countLookup(event.in, "hit", event.hits);
        countLookup(event.in, "miss", event.misses);
        break;
      case "commit-refused":
        refused.inc();
        break;
    }
  };
}

function countBatches(metrics: Metrics, model: string): (batch: BatchFigures) => void {
  const tokens = counter(metrics, model, COUNTERS.tokens);
  const batchTokens = histogram(metrics, model, HISTOGRAMS.batchTokens);
  const padding = histogram(metrics, model, HISTOGRAMS.padding);
  return (batch) => {
    const unused = batch.paddedTokens - batch.tokens;
    tokens("text", batch.tokens);
    tokens("padding", unused);
    batchTokens(batch.paddedTokens);
    padding(unused / Math.max(1, batch.paddedTokens));
  };
}

type Cache = "scores" | "tokens";
type LookupOutcome = "hit" | "miss";

function countLookups(
  metrics: Metrics,
  model: string,
): (cache: Cache, outcome: LookupOutcome, count: number) => void {
  const lookups = metrics.counter("cache_lookups_total", "Lookups in a cache, by outcome", [
    "model",
    "cache",
    "outcome",
  ]);
  const add = (cache: Cache, outcome: LookupOutcome, count: number) => {
    lookups.inc({ model, cache, outcome }, count);
  };
  for (const cache of ["scores", "tokens"] as const) {
    for (const outcome of ["hit", "miss"] as const) add(cache, outcome, 0);
  }
  return add;
}

function counter<V extends string>(
  metrics: Metrics,
  model: string,
  spec: {
    readonly name: string;
    readonly help: string;
    readonly label: string;
    readonly values: readonly V[];
  },
): (value: V, count: number) => void {
  const made = metrics.counter(spec.name, spec.help, ["model", spec.label]);
  const add = (value: V, count: number) => made.inc({ model, [spec.label]: value }, count);
  for (const value of spec.values) add(value, 0);
  return add;
}

function histogram(
  metrics: Metrics,
  model: string,
  {
    name,
    help,
    buckets,
  }: { readonly name: string; readonly help: string; readonly buckets: readonly number[] },
): (value: number) => void {
  const made = metrics.histogram(name, help, ["model"], buckets);
  made.zero({ model });
  const series = made.labels({ model });
  return (value) => series.observe(value);
}
