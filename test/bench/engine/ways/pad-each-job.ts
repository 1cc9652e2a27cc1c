import { basename, dirname } from "node:path";
import { AutoTokenizer, env } from "@huggingface/transformers";
import * as ort from "onnxruntime-node";

export interface PlainJob {
  readonly query: string;
  readonly documents: readonly string[];
}

type Encoded = Record<string, { readonly data: BigInt64Array; readonly dims: number[] }>;

/**
 * Reranking as one writes it in an afternoon: a job is encoded with AutoTokenizer, padded to its
 * longest pair, and run as one batch in a session with ONNX Runtime's defaults, which are all cores.
 *
 * @returns what gives a job's logits
 */
export async function padEachJob(model: {
  readonly folder: string;
  readonly onnxPath: string;
  readonly maxLength: number;
}): Promise<(job: PlainJob) => Promise<number[]>> {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(model.folder);
  const tokenizer = await AutoTokenizer.from_pretrained(basename(model.folder));
  const session = await ort.InferenceSession.create(model.onnxPath);
  return async ({ query, documents }) => {
    const encoded = tokenizer(
      documents.map(() => query),
      { text_pair: [...documents], padding: true, truncation: true, max_length: model.maxLength },
    ) as Encoded;
    const feeds = Object.fromEntries(
      session.inputNames.map((input) => {
        const tensor = encoded[input];
        if (tensor === undefined) throw new Error(`the tokenizer gives no ${input}`);
        return [input, new ort.Tensor("int64", tensor.data, tensor.dims)];
      }),
    );
    const { logits } = await session.run(feeds);
    return Array.from(logits?.data as Float32Array);
  };
}
