import type { WorkerRuntime } from "../../inference/runtime/registry.js";
import { inspectPreparedModel, type PreparedHere } from "../../inference/prepare/prepared-place.js";
import type { ResolvedModel } from "../../models/resolve.js";

/**
 * The state of the prepared model that a worker would use; nothing is prepared.
 *
 * @param full reads the files in full
 */
export async function preparedHere(
  { onnxPath, digest, precision, form, head }: ResolvedModel,
  runtime: WorkerRuntime,
  preparedDir: string | undefined,
  full: boolean,
): Promise<PreparedHere> {
  if (preparedDir === undefined) return { status: "missing" };
  const model = {
    onnxPath,
    modelDigest: digest,
    precision,
    form,
    runtime,
    head,
    cacheDir: preparedDir,
  };
  return await inspectPreparedModel(model, full);
}
