import { ignoreWork } from "../../src/core/work-events.js";
import type { EncodedPair, PairOutcome } from "../../src/core/pair.js";
import { Batcher } from "../../src/pipeline/batch/batcher.js";
import { CachedScorer } from "../../src/pipeline/cached-scorer.js";
import { unlessAborted } from "../../src/platform/unless-aborted.js";
import { FunctionScorer } from "../support/fakes/function-scorer.js";
import { HeldLane } from "../support/fakes/held-lane.js";
import { MemoryScoreCache } from "../support/fakes/memory-score-cache.js";
import { QuickLane } from "../support/fakes/quick-lane.js";
import { firstId } from "../support/pairs.js";
import { testPairScorer, UNSCORABLE, type ScorerPlace } from "./pair-scorer.suite.js";

function logitOf(pair: EncodedPair): number {
  return firstId(pair) === UNSCORABLE ? Number.NaN : firstId(pair);
}

function outcomeOf(pair: EncodedPair): PairOutcome {
  if (firstId(pair) !== UNSCORABLE) return { status: "scored", logit: firstId(pair) };
  return { status: "failed", code: "not_a_number", message: "it is the unscorable one" };
}

function batcherPlace(mayScore: Promise<unknown>): ScorerPlace & { readonly scorer: Batcher } {
  const scorer = new Batcher();
  const lane = new HeldLane(new QuickLane(logitOf));
  void mayScore.then(() => lane.open());
  void scorer.serve(lane, new AbortController().signal);
  return { scorer, fail: (error) => scorer.fail(error) };
}

function memoryPlace(mayScore: Promise<unknown>): ScorerPlace {
  const scorer = new FunctionScorer(outcomeOf);
  const failing = new AbortController();
  scorer.before = async () => void (await unlessAborted(mayScore, failing.signal));
  return { scorer, fail: (error) => failing.abort(error) };
}

testPairScorer("that batches across jobs", batcherPlace);

testPairScorer("with a cache before a batcher", (mayScore) => {
  const { scorer, fail } = batcherPlace(mayScore);
  return { scorer: new CachedScorer(scorer, new MemoryScoreCache(), ignoreWork), fail };
});

testPairScorer("in memory", memoryPlace);
