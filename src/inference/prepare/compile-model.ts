import { readFile, rm, writeFile } from "node:fs/promises";
import { RankmillError } from "../../core/errors.js";
import {
  fuseAttention,
  type FirstTokenModel,
  type FusedAttention,
} from "./graph/fuse-attention.js";
import type { Form } from "../../core/forms/registry.js";
import type { LaneModel } from "../lanes/lane-protocol.js";
import { ModelSession } from "../session/model-session.js";
import { makeForm } from "./make-form.js";
import { furthest, largest, PROBES, WHOLE_PROBES } from "./probes.js";
import { dropRepeatedInitializers } from "./repair-graph.js";
import type { SavedWeights, SaveTarget } from "../session/session-options.js";

/**
 * The largest change of a layer's attention, as a share of its largest value: float32 summed in another
 * order differs by some 1e-6 of it, and a wrong scale or order of heads by all of it.
 */
const TOLERANCE = 1e-4;
/** The tolerance of a layer whose tensors are quantised anew, in steps of 1/255 of their range; seen: 1 %. */
const QUANTISED_TOLERANCE = 0.05;

export interface Compiled {
  /** See `LaneModel.unmasked`. */
  readonly unmasked: boolean;
}

/**
 * Writes the optimised graph of `model` and its packed weights, opens what it wrote and scores a few
 * made-up pairs with both; then makes its attention one node per layer, if it can be and gives the
 * same. Loads the native runtime: for a process of its own only.
 *
 * @param form the numeric form to make of it first; undefined: none
 * @throws RankmillError `model_unusable` if the original cannot be opened or the files not be
 *   written; `prepare_failed` if the prepared model gives other scores, or the form cannot be made
 */
export async function compileModel(
  model: LaneModel,
  save: SaveTarget,
  form?: Form,
): Promise<Compiled> {
  if (form === undefined) return await compile(model, save);
  const formed = await makeForm(form, model, save);
  try {
    // The runtime writes bytes of `MatMulNBits` in a layout that it then reads as another.
    return await compile(formed.model, save, form === "made" ? "as-it-is" : "packed");
  } finally {
    await formed.remove();
  }
}

async function compile(model: LaneModel, save: SaveTarget, kept?: SavedWeights): Promise<Compiled> {
  const expected = await probe(model, save, kept);
  await repair(save.onnxPath);
  const prepared = { ...model, onnxPath: save.onnxPath, prepared: true };
  const scored = await probe(prepared);
  if (!expected.equals(scored)) {
    throw new RankmillError(
      "prepare_failed",
      "the prepared model does not give the original's scores to the bit",
    );
  }
  const fused = fuseAttention(await readFile(save.onnxPath));
  if (fused === undefined || !(await attendsAlike(fused, prepared))) return { unmasked: false };
  const { model: allTokens, firstToken } = fused;
  const ends = firstToken !== undefined && (await endsAlike(firstToken, prepared));
  await writeFile(save.onnxPath, ends ? firstToken.model : allTokens);
  return { unmasked: true };
}

async function repair(path: string): Promise<void> {
  const written = await readFile(path);
  const repaired = dropRepeatedInitializers(written);
  if (repaired !== written) await writeFile(path, repaired);
}

/** @returns the bytes of all logits: compared to the bit, and NaN equals itself */
async function probe(model: LaneModel, save?: SaveTarget, kept?: SavedWeights): Promise<Buffer> {
  const session = await ModelSession.open(model, save, kept);
  const logits: Buffer[] = [];
  for (const input of PROBES) logits.push(Buffer.from((await session.run(input)).buffer));
  await session.close();
  return Buffer.concat(logits);
}

/**
 * Whether each layer's fused attention gives what the original's does, from the same values: layer by
 * layer, since a quantised model makes much of small differences from one layer to the next.
 */
async function attendsAlike(fused: FusedAttention, prepared: LaneModel): Promise<boolean> {
  const pairs = fused.layers.map((layer) => [layer.original, layer.fused] as const);
  return await givesAlike(fused.comparison, pairs, prepared, TOLERANCE);
}

/** Whether the last layer gives the same of the first token if it is given no other. */
async function endsAlike(found: FirstTokenModel, prepared: LaneModel): Promise<boolean> {
  const tolerance = found.quantised ? QUANTISED_TOLERANCE : TOLERANCE;
  return await givesAlike(found.comparison, [[found.original, found.first]], prepared, tolerance);
}

async function givesAlike(
  comparison: Buffer,
  pairs: readonly (readonly [string, string])[],
  prepared: LaneModel,
  tolerance: number,
): Promise<boolean> {
  // Beside the file of weights, which it names by its place.
  const path = `${prepared.onnxPath}.comparison`;
  await writeFile(path, comparison);
  try {
    const session = await ModelSession.open({ ...prepared, onnxPath: path });
    let alike = true;
    for (const input of WHOLE_PROBES) {
      const values = await session.outputs(input, pairs.flat());
      alike &&= pairs.every((_, i) =>
        closeTo(values[2 * i] ?? [], values[2 * i + 1] ?? [], tolerance),
      );
    }
    await session.close();
    return alike;
  } finally {
    await rm(path, { force: true });
  }
}

function closeTo(
  original: ArrayLike<number>,
  changed: ArrayLike<number>,
  tolerance: number,
): boolean {
  // If a number is NaN, so is the maximum, and nothing is close to it.
  return original.length > 0 && furthest(original, changed) <= tolerance * largest(original);
}
