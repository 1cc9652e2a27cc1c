/** Measures a model before any worker does: what `planLanes` finds kept, it does not measure again. */
import type { Logger } from "pino";
import { DEFAULT_LIMITS } from "../../core/contract.js";
import type { WorkerRuntime } from "../../inference/runtime/registry.js";
import { openTokenizer } from "../../tokenizers/open-tokenizer.js";
import type { ResolvedModel } from "../../models/resolve.js";
import { planWorkerLanes } from "./plan-worker-lanes.js";

export interface CalibrateAheadRequest {
  readonly model: ResolvedModel;
  /** Default: ONNX Runtime. */
  readonly runtime?: WorkerRuntime | undefined;
  readonly preparedDir: string;
  readonly calibrationDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
}

/**
 * Leaves a calibration behind as a worker with this many cores would; one that is there is kept.
 *
 * @throws RankmillError if no lane can run the model
 */
export async function calibrateAhead(request: CalibrateAheadRequest): Promise<void> {
  const { model, preparedDir } = request;
  const { tokenizer, template, kind, vocabularyBytes } = await openTokenizer(model.folder.path, {
    compiledDir: preparedDir,
    onNote: (note) => request.logger.warn(note),
  });
  try {
    const { maxJobBytes, maxDocumentChars } = DEFAULT_LIMITS;
    const planned = { kind, vocabularyBytes, maxDocumentChars };
    await planWorkerLanes({ ...request, filling: template, tokenizer: planned, maxJobBytes });
  } finally {
    await tokenizer.close();
  }
}
