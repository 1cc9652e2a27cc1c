/** Writes the graph of a model's numeric form, before the runtime optimises it. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { RankmillError } from "../../core/errors.js";
import type { Form } from "../../core/forms/registry.js";
import type { LaneModel } from "../lanes/lane-protocol.js";
import { ModelSession } from "../session/model-session.js";
import type { SaveTarget } from "../session/session-options.js";
import { scaleRows, type ComparedProduct, type RowScales } from "./graph/row-scales.js";
import { dropRepeatedInitializers } from "./repair-graph.js";
import { PROBES, rootMeanSquare } from "./probes.js";

/** A graph in another form, to be opened in place of the original; its files go once it is no longer needed. */
export interface FormedGraph {
  readonly model: LaneModel;
  readonly remove: () => Promise<void>;
}

/**
 * The difference of a product from the same one without rounding of activations, as a share of it (root mean
 * squares): 255 steps cost 1 to 5 % of it, a wrong scale or axis all of it.
 */
const ROW_TOLERANCE = 0.1;
/** A product that the original itself rounds coarsely may be as coarse. */
const TIMES_ORIGINAL = 1.5;

/**
 * Writes `model` in the numeric form `form` beside `save`, and shows product by product that it is the same model.
 *
 * @throws RankmillError `prepare_failed` if it cannot be had: nothing else may be served in its place
 */
export async function makeForm(
  form: Form,
  model: LaneModel,
  save: SaveTarget,
): Promise<FormedGraph> {
  const plain: SaveTarget = {
    onnxPath: `${save.onnxPath}.plain`,
    dataName: `${basename(save.onnxPath)}.plain.data`,
  };
  const formed = `${save.onnxPath}.${form}`;
  const remove = async (): Promise<void> => {
    const dataPath = `${dirname(save.onnxPath)}/${plain.dataName}`;
    const paths = [plain.onnxPath, dataPath, formed, `${formed}.comparison`];
    await Promise.all(paths.map((path) => rm(path, { force: true })));
  };
  try {
    const graph = await separateWeights(model, plain);
    const scaled = form === "rows" ? scaleRows(graph) : undefined;
    if (scaled === undefined) {
      throw refusal("its int8 products are of a kind that takes no scale per row");
    }
    await requireSameProducts(scaled, { ...model, onnxPath: `${formed}.comparison` });
    await writeFile(formed, scaled.model);
    return { model: { ...model, onnxPath: formed }, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * The optimised graph, its weights in a file of their own: small enough to be rewritten in memory. Weights that
 * this CPU multiplies exactly only as unsigned ones are unsigned in it.
 */
async function separateWeights(model: LaneModel, plain: SaveTarget): Promise<Buffer> {
  const session = await ModelSession.open(model, plain, "as-it-is");
  await session.close();
  return dropRepeatedInitializers(await readFile(plain.onnxPath));
}

async function requireSameProducts(
  { comparison, products }: RowScales,
  model: LaneModel,
): Promise<void> {
  await writeFile(model.onnxPath, comparison);
  // Not optimised: that would make a copy of all weights as floats.
  const session = await ModelSession.open({ ...model, prepared: true });
  try {
    const names = products.flatMap(({ exact, original, byRow }) => [exact, original, byRow]);
    for (const input of PROBES) {
      const values = await session.outputs(input, names);
      products.forEach((product, i) => requireClose(product, values.slice(3 * i, 3 * i + 3)));
    }
  } finally {
    await session.close();
    await rm(model.onnxPath, { force: true });
  }
}

function requireClose(product: ComparedProduct, values: readonly Float32Array[]): void {
  const [exact, original, byRow] = values;
  if (exact === undefined || original === undefined || byRow === undefined) {
    throw new RangeError("a product is missing");
  }
  const size = rootMeanSquare(exact, ZEROS);
  const allowed = Math.max(ROW_TOLERANCE * size, TIMES_ORIGINAL * rootMeanSquare(exact, original));
  // If a number is NaN, so is what is compared, and nothing is close to it.
  if (rootMeanSquare(exact, byRow) <= allowed) return;
  throw refusal(`the product ${product.original} comes out as another one`);
}

const ZEROS: ArrayLike<number> = { length: 0 };

function refusal(why: string): RankmillError {
  return new RankmillError("prepare_failed", why);
}
