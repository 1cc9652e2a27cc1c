import { ignoreWork } from "../../src/core/work-events.js";
import type { EncodedPair, PairOutcome } from "../../src/core/pair.js";
import { Batcher } from "../../src/pipeline/batch/batcher.js";
import { CachedScorer } from "../../src/pipeline/cached-scorer.js";
import { FunctionScorer } from "../support/fakes/function-scorer.js";
import { HeldLane } from "../support/fakes/held-lane.js";
import { MemoryScoreCache } from "../support/fakes/memory-score-cache.js";
import { QuickLane } from "../support/fakes/quick-lane.js";
import { firstId } from "../support/pairs.js";
import { testPairScorer, UNSCORABLE, type ScorerPlace } from "./pair-scorer.suite.js";

function batcherPlace(mayScore: () => Promise<void>): ScorerPlace & { readonly scorer: Batcher } {
  const scorer = new Batcher();
  const logitOf = (pair: EncodedPair): number =>
    firstId(pair) === UNSCORABLE ? Number.NaN : firstId(pair);
  const lane = new HeldLane(new QuickLane(logitOf));
  void mayScore().then(() => lane.open());
  void scorer.serve(lane, new AbortController().signal);
  return { scorer, fail: (error) => scorer.fail(error) };
}

function outcomeOf(pair: EncodedPair): PairOutcome {
  if (firstId(pair) !== UNSCORABLE) return { status: "scored", logit: firstId(pair) };
  return { status: "failed", code: "not_a_number", message: "it is the unscorable one" };
}

function memoryPlace(mayScore: () => Promise<void>): ScorerPlace {
  const scorer = new FunctionScorer(outcomeOf);
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  scorer.before = async () => await Promise.race([failed, mayScore()]);
  return { scorer, fail };
}

testPairScorer("that batches across jobs", batcherPlace);

testPairScorer("with a cache before a batcher", (mayScore) => {
  const { scorer, fail } = batcherPlace(mayScore);
  return { scorer: new CachedScorer(scorer, new MemoryScoreCache(), ignoreWork), fail };
});

testPairScorer("in memory", memoryPlace);
