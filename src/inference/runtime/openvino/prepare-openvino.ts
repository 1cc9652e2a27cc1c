import { RankmillError } from "../../../core/errors.js";
import type { BatchInput, LaneModel } from "../../lanes/lane-protocol.js";
import type { Compiled } from "../../prepare/compile-model.js";
import { moveWeights } from "../../prepare/move-weights.js";
import type { SaveTarget } from "../../session/session-options.js";
import { OpenVinoSession } from "./openvino-session.js";

/** Ids among the first of any vocabulary, lengths within any model's. */
const PROBES: readonly BatchInput[] = [3, 24].map((length) => ({
  ids: [Int32Array.from({ length }, (_, index) => (index * 7 + 3) % 16)],
  secondStarts: [length >> 1],
}));

/**
 * Moves a model's weights into a file of their own, which OpenVINO maps, and scores a few made-up pairs with both.
 *
 * @throws RankmillError `prepare_failed` if the two differ; `model_unusable`
 */
export async function prepareForOpenVino(
  model: LaneModel,
  save: SaveTarget,
  libraryPath: string,
): Promise<Compiled> {
  await moveWeights(model.onnxPath, save);
  const expected = await probe(model, libraryPath);
  const got = await probe({ ...model, onnxPath: save.onnxPath }, libraryPath);
  if (!expected.equals(got)) {
    throw new RankmillError(
      "prepare_failed",
      "the prepared model does not give the original's scores to the bit",
    );
  }
  return { unmasked: false };
}

async function probe(model: LaneModel, libraryPath: string): Promise<Buffer> {
  const session = await OpenVinoSession.open(model, libraryPath);
  const logits: Buffer[] = [];
  for (const input of PROBES) logits.push(Buffer.from((await session.run(input)).buffer));
  await session.close();
  return Buffer.concat(logits);
}
