import { inspectPreparedModel, type PreparedHere } from "../../inference/prepare/prepared-place.js";
import type { ResolvedModel } from "../../models/resolve.js";

/**
 * How the prepared model stands that a worker would use, without preparing it.
 *
 * @param full reads the files in full
 */
export async function preparedHere(
  { onnxPath, digest, precision }: ResolvedModel,
  preparedDir: string | undefined,
  full: boolean,
): Promise<PreparedHere> {
  if (preparedDir === undefined) return { status: "missing" };
  const model = { onnxPath, modelDigest: digest, precision, cacheDir: preparedDir };
  return await inspectPreparedModel(model, full);
}
