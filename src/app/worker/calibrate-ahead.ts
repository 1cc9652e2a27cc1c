/** Measures a model before any worker does: what `planLanes` finds kept, it does not measure again. */
import { LANE_ENTRY } from "../../platform/process-entries.js";
import type { Logger } from "pino";
import { DEFAULT_LIMITS } from "../../core/contract.js";
import { openTokenizer } from "../../tokenizers/open-tokenizer.js";
import type { ResolvedModel } from "../../models/resolve.js";
import { planLanes } from "../../capacity/cpu-plan.js";
import { modelSource } from "./prepared-model.js";

/** As a worker waits for its lanes. */
const LANE_OPEN_TIMEOUT_MS = 300_000;

export interface CalibrateAheadRequest {
  readonly model: ResolvedModel;
  readonly preparedDir: string;
  readonly calibrationDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
}

/**
 * Leaves a calibration behind as a worker with this many cores would; one that is there is kept.
 *
 * @throws RankmillError where no lane can run the model
 */
export async function calibrateAhead(request: CalibrateAheadRequest): Promise<void> {
  const { model, preparedDir, env, logger } = request;
  const { tokenizer, template } = await openTokenizer(model.folder.path, {
    compiledDir: preparedDir,
  });
  try {
    await planLanes({
      ...request,
      laneModel: {
        ...(await modelSource(model, preparedDir, env, logger)),
        padId: template.padId,
        segmentTypeIds: template.segmentTypeIds,
        executionProvider: "cpu",
        intraOpThreads: 1,
      },
      laneEntryPath: LANE_ENTRY,
      openTimeoutMs: LANE_OPEN_TIMEOUT_MS,
      maxJobBytes: DEFAULT_LIMITS.maxJobBytes,
    });
  } finally {
    await tokenizer.close();
  }
}
