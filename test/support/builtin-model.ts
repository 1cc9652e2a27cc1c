/** The builtin model on the real runtime and the real tokenizer, in this process. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type * as Ort from "onnxruntime-node";
import { Tokenizer } from "tokenizers";

export const BUILTIN_FOLDER = resolve(import.meta.dirname, "../../models/builtin-bm25");
const CLS = 2;
const SEP = 3;

export interface Pair {
  readonly query: readonly number[];
  readonly document: readonly number[];
}

/** One `session.run`; logits in the order of the pairs. `padding` adds that many columns. */
export type Score = (pairs: readonly Pair[], padding?: number) => Promise<Float32Array>;

export async function openBuiltinModel(): Promise<Score> {
  process.env["ORT_DISABLE_TELEMETRY"] = "1";
  const ort: typeof Ort = await import("onnxruntime-node");
  const session = await ort.InferenceSession.create(
    await readFile(join(BUILTIN_FOLDER, "model.onnx")),
    { intraOpNumThreads: 1, interOpNumThreads: 1 },
  );
  return async (pairs, padding = 0) => {
    const rows = pairs.map(({ query, document }) => [CLS, ...query, SEP, ...document, SEP]);
    const width = Math.max(...rows.map((row) => row.length)) + padding;
    const tensors = [0, 1, 2].map(() => new BigInt64Array(rows.length * width));
    const [ids, mask, types] = tensors;
    for (const [index, row] of rows.entries()) {
      const second = (pairs[index]?.query.length ?? 0) + 2;
      ids?.set(row.map(BigInt), index * width);
      mask?.fill(1n, index * width, index * width + row.length);
      types?.fill(1n, index * width + second, index * width + row.length);
    }
    const [input_ids, attention_mask, token_type_ids] = tensors.map(
      (data) => new ort.Tensor("int64", data, [rows.length, width]),
    );
    if (!input_ids || !attention_mask || !token_type_ids) throw new Error("three inputs");
    const { logits } = await session.run({ input_ids, attention_mask, token_type_ids });
    if (!(logits?.data instanceof Float32Array)) throw new Error("logits are not float32");
    return logits.data;
  };
}

/** Token ids of texts, without special tokens. */
export type Encode = (texts: readonly string[]) => Promise<number[][]>;

export function openBuiltinTokenizer(): Encode {
  const tokenizer = Tokenizer.fromFile(join(BUILTIN_FOLDER, "tokenizer.json"));
  return async (texts) => {
    const encodings = await tokenizer.encodeBatch([...texts], { addSpecialTokens: false });
    return encodings.map((encoding) => encoding.getIds());
  };
}
