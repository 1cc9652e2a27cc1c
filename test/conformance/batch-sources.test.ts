import { ignoreWork } from "../../src/core/work-events.js";
import { Batcher } from "../../src/pipeline/batch/batcher.js";
import { observeLanes } from "../../src/telemetry/observe-lanes.js";
import { testBatchSource, type SourcePlace } from "./batch-source.suite.js";

function placeOf(): SourcePlace & { readonly source: Batcher } {
  const source = new Batcher();
  const never = new AbortController().signal;
  return { source, ask: async (pairs) => await source.score(pairs, "bulk", never) };
}

testBatchSource("that batches across jobs", placeOf);

testBatchSource("whose lanes are observed", () => {
  const { source, ask } = placeOf();
  return { source: observeLanes(source, ignoreWork), ask };
});
