import type * as Ort from "onnxruntime-node";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { paddedLength } from "../../core/cost/length-buckets.js";
import { KEPT_TOKENS, type PastLayout } from "../../models/onnx/past-layout.js";
import type { BatchInput, LaneModel } from "../lanes/lane-protocol.js";
import { groupRows, type RowGroup } from "./group-rows.js";
import { integerTensor, type IntegerType } from "./integer-tensor.js";
import { PrefixMemory, type PrefixPlace } from "./prefix-memory.js";
import { unusable } from "./unusable.js";

/** Keys and values of a prefix. Its columns may be more than its tokens; the mask hides those. */
interface Past {
  readonly tokens: number;
  readonly columns: number;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

interface Parts {
  readonly ort: typeof Ort;
  readonly session: Pick<InferenceSession, "run">;
  readonly model: Pick<LaneModel, "padId" | "lengthBuckets" | "prefixBytes">;
  readonly layout: PastLayout;
  readonly output: string;
  /** Type of an integer input. */
  readonly typeOf: (input: string) => IntegerType;
}

const EMPTY_KEY = "";

/**
 * Runs batches on a graph with keys and values, in two steps: the tokens that the rows share, alone, and then
 * the rest of each row. A row is always run in these two steps, so that no bit of its logit depends on what
 * was in memory or came in the same batch.
 */
export class SharedPrefixRuns {
  readonly #parts: Parts;
  readonly #memory: PrefixMemory<Past>;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#memory = new PrefixMemory(parts.model.prefixBytes ?? 0);
  }

  /** Bytes of prefixes in memory. */
  get heldBytes(): number {
    return this.#memory.usedBytes;
  }

  /** @returns the output's numbers, one per row if the graph is a reranker */
  async run(input: BatchInput): Promise<Float32Array> {
    const logits = new Float32Array(input.ids.length);
    for (const group of groupRows(input)) {
      const found = await this.#runRests(group, await this.#pastOf(group));
      for (const [at, row] of group.rows.entries()) logits[row] = found[at] ?? Number.NaN;
    }
    return logits;
  }

  /** What the graph takes to compute whole rows in one step, which is how values inside it are compared. */
  wholeFeeds({ ids }: BatchInput, columns: number): Record<string, Tensor> {
    return this.#feeds(ids, columns, 0, this.#noPast());
  }

  #noPast(): Past {
    return { tokens: 0, columns: 0, feeds: this.#tensors(0, nothing(), "input") };
  }

  async #pastOf({ key, prefix }: RowGroup): Promise<Past> {
    const { layout, model } = this.#parts;
    const held = this.#memory.find(key);
    if (held !== undefined) return held;
    const none = this.#noPast();
    if (key === EMPTY_KEY) return none;
    const columns = paddedLength(prefix.length, model.lengthBuckets);
    const bytes = columns * layout.bytesPerToken;
    return await this.#memory.fill(key, bytes, async (place) => {
      const feeds = this.#feeds([prefix], columns, columns, none);
      // Of the logits nobody wants to know; if one output is asked for by name, all must be.
      const outputs = { [this.#parts.output]: null, ...this.#tensors(columns, place, "output") };
      await this.#parts.session.run(feeds, outputs);
      return { tokens: prefix.length, columns, feeds: this.#tensors(columns, place, "input") };
    });
  }

  async #runRests({ rests }: RowGroup, past: Past): Promise<Float32Array> {
    const { session, output, model } = this.#parts;
    const longest = rests.reduce((most, { length }) => Math.max(most, length), 0);
    const columns = paddedLength(longest, model.lengthBuckets);
    const outputs = await session.run(this.#feeds(rests, columns, 0, past), [output]);
    const logits = outputs[output];
    const values = logits?.data;
    if (!(values instanceof Float32Array) || values.length !== rests.length) {
      throw unusable(`its output "${output}" does not have one float32 per pair`);
    }
    const copy = new Float32Array(values);
    logits?.dispose();
    return copy;
  }

  /** @param kept new tokens whose keys and values are given */
  #feeds(
    rows: readonly Int32Array[],
    columns: number,
    kept: number,
    past: Past,
  ): Record<string, Tensor> {
    const { model, ort, typeOf } = this.#parts;
    const ids = new Int32Array(rows.length * columns).fill(model.padId);
    const width = past.columns + columns;
    const mask = new Int32Array(rows.length * width);
    for (const [row, some] of rows.entries()) {
      ids.set(some, row * columns);
      mask.fill(1, row * width, row * width + past.tokens);
      const start = row * width + past.columns;
      mask.fill(1, start, start + some.length);
    }
    const integers = (name: string, values: Int32Array, shape: readonly number[]): Tensor =>
      integerTensor(ort, typeOf(name), values, shape);
    return {
      input_ids: integers("input_ids", ids, [rows.length, columns]),
      attention_mask: integers("attention_mask", mask, [rows.length, width]),
      [KEPT_TOKENS]: integers(KEPT_TOKENS, Int32Array.of(kept), [1]),
      ...past.feeds,
    };
  }

  /** Tensors over one place, one after the other, by the names of inputs or of outputs. */
  #tensors(
    tokens: number,
    { buffer, byteOffset }: PrefixPlace,
    names: "input" | "output",
  ): Record<string, Tensor> {
    const { ort, layout } = this.#parts;
    const tensors: Record<string, Tensor> = {};
    let at = byteOffset;
    for (const { heads, headSize, ...tensor } of layout.tensors) {
      const values = new Float32Array(buffer, at, heads * tokens * headSize);
      tensors[tensor[names]] = new ort.Tensor("float32", values, [1, heads, tokens, headSize]);
      at += values.byteLength;
    }
    return tensors;
  }
}

function nothing(): PrefixPlace {
  return { buffer: new ArrayBuffer(0), byteOffset: 0 };
}
