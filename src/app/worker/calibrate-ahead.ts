/** Measures a model before any worker does: what `planLanes` finds kept, it does not measure again. */
import type { Logger } from "pino";
import type { LanePlan, LanePlanOptions } from "../../capacity/lane-plan.js";
import { DEFAULT_LIMITS } from "../../core/contract.js";
import type { WorkerRuntime } from "../../inference/runtime/registry.js";
import type { TokenizerChoice } from "../../tokenizers/kinds/registry.js";
import { openTokenizer } from "../../tokenizers/open-tokenizer.js";
import type { ResolvedModel } from "../../models/resolve.js";
import { planWorkerLanes } from "./plan-worker-lanes.js";

export interface CalibrateAheadRequest extends LanePlanOptions {
  readonly model: ResolvedModel;
  /** Default: ONNX Runtime. */
  readonly runtime?: WorkerRuntime | undefined;
  readonly tokenizer?: TokenizerChoice | undefined;
  /** Undefined: the model's own files are measured. */
  readonly preparedDir: string | undefined;
  readonly calibrationDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
}

/**
 * Leaves a calibration behind as a worker with this many cores would; one that is there is kept.
 *
 * @returns the plan that such a worker would make
 * @throws RankmillError if no lane can run the model
 */
export async function calibrateAhead(request: CalibrateAheadRequest): Promise<LanePlan> {
  const { model, preparedDir } = request;
  const { tokenizer, template, kind, vocabularyBytes } = await openTokenizer(model.folder.path, {
    kind: request.tokenizer,
    compiledDir: preparedDir,
    onNote: (note) => request.logger.warn(note),
  });
  try {
    const { maxJobBytes, maxDocumentChars } = DEFAULT_LIMITS;
    const planned = { kind, vocabularyBytes, maxDocumentChars };
    const own = { filling: template, tokenizer: planned, maxJobBytes };
    return (await planWorkerLanes({ ...request, ...own })).plan;
  } finally {
    await tokenizer.close();
  }
}
