/** Writes the graph of a model's numeric form, before the runtime optimises it. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { closeSync, openSync, readSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { RankmillError } from "../../core/errors.js";
import type { Form } from "../../core/forms/registry.js";
import type { LaneModel } from "../lanes/lane-protocol.js";
import { ModelSession } from "../session/model-session.js";
import type { SaveTarget } from "../session/session-options.js";
import { blockWeights } from "./graph/block-weights.js";
import type { ComparedProduct } from "./graph/compared-product.js";
import { scaleRows } from "./graph/row-scales.js";
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
  const dataPath = join(dirname(save.onnxPath), plain.dataName);
  const remove = async (): Promise<void> => {
    const paths = [plain.onnxPath, dataPath, formed, `${formed}.comparison`];
    await Promise.all(paths.map((path) => rm(path, { force: true })));
  };
  try {
    const graph = await separateWeights(model, plain);
    const made = form === "rows" ? rowsOf(graph) : blocksOf(graph, dataPath);
    await requireSameProducts(made, { ...model, onnxPath: `${formed}.comparison` });
    await writeFile(formed, made.model);
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

/** A graph in another form, and a graph that holds its products beside the original's. */
interface Made {
  readonly model: Buffer;
  readonly comparison: Buffer;
  readonly products: readonly ComparedProduct[];
}

function rowsOf(graph: Buffer): Made {
  const made = scaleRows(graph);
  if (made !== undefined) return made;
  throw refusal("its int8 products are of a kind that takes no scale per row");
}

function blocksOf(graph: Buffer, dataPath: string): Made {
  const fd = openSync(dataPath, "r");
  try {
    const made = blockWeights(graph, ({ offsetBytes, lengthBytes }) => {
      const bytes = Buffer.alloc(lengthBytes);
      readSync(fd, bytes, 0, lengthBytes, offsetBytes);
      return bytes;
    });
    if (made === undefined) throw refusal("it has no products whose weights could be bytes");
    const products = made.products.map((one) => ({ ...one, original: one.exact }));
    return { ...made, products };
  } finally {
    closeSync(fd);
  }
}

async function requireSameProducts(
  { comparison, products }: Made,
  model: LaneModel,
): Promise<void> {
  await writeFile(model.onnxPath, comparison);
  // Not optimised: that would make a copy of all weights as floats.
  const session = await ModelSession.open({ ...model, prepared: true });
  try {
    const names = [
      ...new Set(products.flatMap(({ exact, original, formed }) => [exact, original, formed])),
    ];
    for (const input of PROBES) {
      const outputs = await session.outputs(input, names);
      const values = new Map(names.map((name, i) => [name, outputs[i]] as const));
      for (const product of products) requireClose(product, values);
    }
  } finally {
    await session.close();
    await rm(model.onnxPath, { force: true });
  }
}

function requireClose(
  product: ComparedProduct,
  values: ReadonlyMap<string, Float32Array | undefined>,
): void {
  const [exact, original, formed] = [product.exact, product.original, product.formed].map((name) =>
    values.get(name),
  );
  if (exact === undefined || original === undefined || formed === undefined) {
    throw new RangeError("a product is missing");
  }
  const size = rootMeanSquare(exact, ZEROS);
  const allowed = Math.max(ROW_TOLERANCE * size, TIMES_ORIGINAL * rootMeanSquare(exact, original));
  // If a number is NaN, so is what is compared, and nothing is close to it.
  if (rootMeanSquare(exact, formed) <= allowed) return;
  throw refusal(`the product ${product.original} comes out as another one`);
}

const ZEROS: ArrayLike<number> = { length: 0 };

function refusal(why: string): RankmillError {
  return new RankmillError("prepare_failed", why);
}
