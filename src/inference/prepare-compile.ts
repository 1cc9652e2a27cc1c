import { readFile, writeFile } from "node:fs/promises";
import { RankmillError } from "../core/errors.js";
import type { LaneModel, RunInput } from "./lane-protocol.js";
import { ModelSession } from "./model-session.js";
import { dropRepeatedInitializers } from "./prepare-repair.js";
import type { SaveTarget } from "./session-options.js";

/**
 * What original and prepared graph must score alike: short and longer rows, alone and padded
 * together. The ids are among the first of any vocabulary, the lengths within any model's.
 */
const PROBES: readonly RunInput[] = [[3], [24], [16, 9]].map((lengths) => ({
  ids: lengths.map((length) => Int32Array.from({ length }, (_, index) => (index * 7 + 3) % 16)),
  secondStarts: lengths.map((length) => length >> 1),
}));

/**
 * Writes the optimised graph of `model` and its packed weights, then opens what it wrote and scores
 * a few made-up pairs with both. Loads the native runtime: for a process of its own only.
 *
 * @throws RankmillError `model_unusable` where the original cannot be opened or the files not be
 *   written; `prepare_failed` where the prepared model gives other scores
 */
export async function compileModel(model: LaneModel, save: SaveTarget): Promise<void> {
  const expected = await probe(model, save);
  await repair(save.onnxPath);
  const scored = await probe({ ...model, onnxPath: save.onnxPath, prepared: true });
  if (!expected.equals(scored)) {
    throw new RankmillError(
      "prepare_failed",
      "the prepared model does not give the original's scores to the bit",
    );
  }
}

async function repair(path: string): Promise<void> {
  const written = await readFile(path);
  const repaired = dropRepeatedInitializers(written);
  if (repaired !== written) await writeFile(path, repaired);
}

/** @returns the bytes of all logits: compared to the bit, and NaN equals itself */
async function probe(model: LaneModel, save?: SaveTarget): Promise<Buffer> {
  const session = await ModelSession.open(model, save);
  const logits: Buffer[] = [];
  for (const input of PROBES) logits.push(Buffer.from((await session.run(input)).buffer));
  await session.close();
  return Buffer.concat(logits);
}
