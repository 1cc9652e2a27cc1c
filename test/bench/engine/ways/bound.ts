/**
 * One process of the bound: a single-thread session that runs each pair alone at its exact length.
 * All tensors are made before the clock runs. The parent says which pairs come next while one runs,
 * so that no process ever waits for it.
 */
import { setPriority } from "node:os";
import process from "node:process";
import * as ort from "onnxruntime-node";
import type { PairIds } from "../way.js";
import { NICENESS } from "./serve-way.js";

export type ToBound =
  | { readonly type: "open"; readonly onnxPath: string }
  | { readonly type: "load"; readonly pairs: readonly PairIds[] }
  | { readonly type: "run"; readonly indices: readonly number[] };

export type FromBound =
  | { readonly type: "ready" }
  | {
      readonly type: "done";
      readonly indices: readonly number[];
      readonly logits: readonly number[];
    };

let session: ort.InferenceSession | undefined;
let feeds: Record<string, ort.Tensor>[] = [];
/** Runs follow each other; the event loop turns between two. */
let last: Promise<void> = Promise.resolve();

async function open(onnxPath: string): Promise<void> {
  session = await ort.InferenceSession.create(onnxPath, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
    enableMemPattern: false,
  });
}

function load(pairs: readonly PairIds[]): void {
  feeds = pairs.map(({ ids, types }) => {
    const columns: Record<string, Int32Array> = {
      input_ids: ids,
      attention_mask: new Int32Array(ids.length).fill(1),
      token_type_ids: types ?? new Int32Array(ids.length),
    };
    return Object.fromEntries(
      (session?.inputNames ?? []).map((input) => {
        const data = BigInt64Array.from(columns[input] ?? [], BigInt);
        return [input, new ort.Tensor("int64", data, [1, ids.length])];
      }),
    );
  });
}

async function run(indices: readonly number[]): Promise<void> {
  const logits: number[] = [];
  for (const index of indices) {
    const outputs = await session?.run(feeds[index] ?? {});
    logits.push(Number(outputs?.["logits"]?.data[0]));
  }
  send({ type: "done", indices, logits });
}

function send(message: FromBound): void {
  process.send?.(message);
}

setPriority(NICENESS);
process.on("message", (message: ToBound) => {
  last = last.then(async () => {
    if (message.type === "run") {
      await run(message.indices);
      return;
    }
    if (message.type === "open") await open(message.onnxPath);
    else load(message.pairs);
    send({ type: "ready" });
  });
});
process.on("disconnect", () => process.exit());
