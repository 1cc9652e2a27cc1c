/** Scores pairs with a model outside any queue: one lane, no Redis. */
import { fileURLToPath } from "node:url";
import { assemblePair } from "../src/core/pair-assembly.js";
import { quantisedHandling, readCpuFeatures } from "../src/inference/cpu-features.js";
import { LaneProcess } from "../src/inference/lane-process.js";
import { openTokenizer } from "../src/inference/tokenizer/open-tokenizer.js";
import type { ResolvedModel } from "../src/models/resolve.js";

const LANE_ENTRY = fileURLToPath(new URL("lane.js", import.meta.url));
const OPEN_TIMEOUT_MS = 300_000;

export interface TextPair {
  readonly query: string;
  readonly document: string;
}

/**
 * @returns one logit a pair, in order; each pair runs alone at its exact length
 * @throws RankmillError where the model cannot be used
 */
export async function scorePairs(
  model: ResolvedModel,
  pairs: readonly TextPair[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number[]> {
  const { exactInt8 } = quantisedHandling(model.precision, await readCpuFeatures());
  const { tokenizer, template } = await openTokenizer(model.folder.path);
  try {
    const lane = await LaneProcess.start(0, {
      entryPath: LANE_ENTRY,
      env,
      openTimeoutMs: OPEN_TIMEOUT_MS,
      model: {
        onnxPath: model.onnxPath,
        exactInt8,
        padId: template.padId,
        segmentTypeIds: template.segmentTypeIds,
        executionProvider: "cpu",
        intraOpThreads: 1,
      },
    });
    try {
      const options = { maxLength: model.maxLength.default, truncation: "only-second" } as const;
      const logits: number[] = [];
      for (const { query, document } of pairs) {
        const [queryIds, documentIds] = await tokenizer.encode([query, document]);
        if (queryIds === undefined || documentIds === undefined) throw new Error("no token ids");
        const pair = assemblePair(template, queryIds, documentIds, options);
        const [[logit] = []] = await lane.run([[pair]]);
        logits.push(logit ?? Number.NaN);
      }
      return logits;
    } finally {
      lane.kill();
      await lane.died;
    }
  } finally {
    await tokenizer.close();
  }
}
