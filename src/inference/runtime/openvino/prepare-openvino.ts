import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { RankmillError } from "../../../core/errors.js";
import type { LaneModel } from "../../lanes/lane-protocol.js";
import type { Compiled } from "../../prepare/compile-model.js";
import { keepFirstTokenOfPlain } from "../../prepare/graph/plain-first-token.js";
import { moveWeights } from "../../prepare/move-weights.js";
import { furthest, largest, PROBES, WHOLE_PROBES } from "../../prepare/probes.js";
import type { SaveTarget } from "../../session/session-options.js";
import { OpenVinoSession } from "./openvino-session.js";

/** The largest change of a logit, as a share of the largest: float32 summed in another order. */
const TOLERANCE = 1e-4;

/**
 * Moves a model's weights into a file of their own, which OpenVINO maps, and lets its last layer compute the first
 * token alone, if that is all that the graph reads of it. A few made-up pairs are scored with each graph.
 *
 * @throws RankmillError `prepare_failed` if moved weights give other scores; `model_unusable`
 */
export async function prepareForOpenVino(
  model: LaneModel,
  save: SaveTarget,
  libraryPath: string,
): Promise<Compiled> {
  const logitsOf = async (onnxPath: string): Promise<Float32Array> =>
    await probe({ ...model, onnxPath }, libraryPath);
  await moveWeights(model.onnxPath, save);
  const expected = await logitsOf(model.onnxPath);
  const moved = await logitsOf(save.onnxPath);
  if (!Buffer.from(expected.buffer).equals(Buffer.from(moved.buffer))) {
    throw new RankmillError(
      "prepare_failed",
      "the prepared model does not give the original's scores to the bit",
    );
  }
  await keepFirstToken(save.onnxPath, expected, logitsOf);
  // Rows are padded, and the mask hides it.
  return { unmasked: false };
}

async function keepFirstToken(
  onnxPath: string,
  expected: Float32Array,
  logitsOf: (onnxPath: string) => Promise<Float32Array>,
): Promise<void> {
  const changed = keepFirstTokenOfPlain(await readFile(onnxPath));
  if (changed === undefined) return;
  // Beside the file of weights, which it names by its place.
  const path = `${onnxPath}.first-token`;
  await writeFile(path, changed);
  try {
    const got = await logitsOf(path);
    // If a number is NaN, so is the difference, and nothing is close to it.
    if (furthest(expected, got) <= TOLERANCE * largest(expected)) await rename(path, onnxPath);
  } catch (error) {
    // OpenVINO may refuse the changed graph; the other one is good.
    if (!(error instanceof RankmillError) || error.code !== "model_unusable") throw error;
  } finally {
    await rm(path, { force: true });
  }
}

/** In fp32: in bf16 a product of one row may round otherwise than the same row among others. */
async function probe(model: LaneModel, libraryPath: string): Promise<Float32Array> {
  const { runtime } = model;
  const fp32 = runtime === undefined ? model : { ...model, runtime: { ...runtime, bf16: false } };
  const session = await OpenVinoSession.open(fp32, libraryPath);
  try {
    const logits: number[] = [];
    for (const input of [...PROBES, ...WHOLE_PROBES]) logits.push(...(await session.run(input)));
    return Float32Array.from(logits);
  } finally {
    await session.close();
  }
}
