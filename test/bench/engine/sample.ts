import { forkProgram, nextMessage, stopChild } from "./child-way.js";
import type { Sample, SampleRequest } from "./sample-jobs.js";
import type { BenchJob } from "./way.js";

/** Jobs as `sample-jobs.ts` chooses them, and a line that says what they are. */
export async function sampleJobs(
  request: SampleRequest,
): Promise<{ readonly jobs: readonly BenchJob[]; readonly line: string }> {
  const { sizes, maxTokens } = request;
  const child = forkProgram("sample-jobs.ts");
  child.send(request);
  const sample = await nextMessage<Sample>(child);
  await stopChild(child);
  const lengths = sample.jobs.flatMap((job) => job.pairs.map((pair) => pair.ids.length));
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  const line = `${sizes.length} jobs of ${Math.min(...sizes)} to ${Math.max(...sizes)} documents, ${lengths.length} pairs of ${mean.toFixed(0)} tokens on average, ${Math.max(...lengths)} at most; passed over: ${sample.tooLong} longer than ${maxTokens} tokens, ${sample.different} that AutoTokenizer encodes differently`;
  return { jobs: sample.jobs, line };
}
