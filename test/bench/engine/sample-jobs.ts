/**
 * A program of its own, since two tokenizers of 250,000 pieces have no place in the process that
 * measures: chooses the pairs of a case and encodes them.
 *
 * A pair is left out if it is longer than the limit (AutoTokenizer cuts at the very end and loses
 * the last separator, so ways would differ for a reason that is not speed) and if AutoTokenizer
 * and the reference library give different ids.
 */
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { AutoTokenizer, env } from "@huggingface/transformers";
import { Tokenizer } from "tokenizers";
import { seededRandom, shuffled } from "../support/statistics.js";
import { readCollection } from "./collection.js";
import type { BenchJob, PairIds } from "./way.js";

export interface SampleRequest {
  readonly modelFolder: string;
  /** Tokens of a pair, special tokens included. */
  readonly maxTokens: number;
  /** Documents of each job. */
  readonly sizes: readonly number[];
  readonly seed: number;
}

export interface Sample {
  readonly jobs: readonly BenchJob[];
  /** Pairs passed over: too long, and differently tokenised. */
  readonly tooLong: number;
  readonly different: number;
}

const MOST_CHARS_A_TOKEN = 8;

type Encoded = { readonly input_ids: number[][] };

async function sample(request: SampleRequest): Promise<Sample> {
  const { modelFolder, maxTokens, sizes, seed } = request;
  env.allowRemoteModels = false;
  env.localModelPath = dirname(modelFolder);
  const auto = await AutoTokenizer.from_pretrained(basename(modelFolder));
  const reference = Tokenizer.fromFile(join(modelFolder, "tokenizer.json"));
  const counts = { tooLong: 0, different: 0 };

  const fill = async (
    query: string,
    candidates: Iterable<string>,
    size: number,
  ): Promise<BenchJob> => {
    const documents: string[] = [];
    const pairs: PairIds[] = [];
    for (const document of candidates) {
      if (documents.length === size) break;
      // Not worth encoding: a token of English has five characters or so.
      if (document.length > MOST_CHARS_A_TOKEN * maxTokens) {
        counts.tooLong += 1;
        continue;
      }
      const encoding = await reference.encode(query, document);
      const ids = encoding.getIds();
      if (ids.length > maxTokens) {
        counts.tooLong += 1;
        continue;
      }
      const { input_ids: theirs } = auto([query], {
        text_pair: [document],
        return_tensor: false,
      }) as Encoded;
      if (theirs[0]?.join() !== ids.join()) {
        counts.different += 1;
        continue;
      }
      documents.push(document);
      pairs.push({ ids: Int32Array.from(ids), types: Int32Array.from(encoding.getTypeIds()) });
    }
    return { query, documents, pairs };
  };

  const random = seededRandom(seed);
  const collection = shuffled(readCollection(), random);
  const others = collection.flatMap(({ documents }) => documents);
  const jobs: BenchJob[] = [];
  for (const { query, documents } of collection) {
    const size = sizes[jobs.length];
    if (size === undefined) break;
    const job = await fill(query, withOthers(documents, others, random), size);
    if (job.documents.length === size) jobs.push(job);
  }
  if (jobs.length < sizes.length) throw new Error(`only ${jobs.length} jobs of these sizes`);
  return { jobs, ...counts };
}

/** A query's candidates, best first; if they are too few or too long, those of other queries. */
function* withOthers(
  documents: readonly string[],
  others: readonly string[],
  random: () => number,
): Generator<string> {
  yield* documents;
  const own = new Set(documents);
  for (const other of new Set(shuffled(others, random))) if (!own.has(other)) yield other;
}

process.once("message", (request: SampleRequest) => {
  void sample(request).then((sampled) =>
    process.send?.(sampled, undefined, undefined, () => process.exit()),
  );
});
