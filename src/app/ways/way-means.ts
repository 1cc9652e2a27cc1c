import type { Logger } from "pino";
import type { LanePlanOptions } from "../../capacity/lane-plan.js";
import { arePrepared } from "../../core/forms/numbers.js";
import type { ResolvedModel } from "../../models/resolve.js";
import type { TokenizerChoice } from "../../tokenizers/kinds/registry.js";
import { isPreparable } from "../worker/prepared-model.js";

/** The means of whoever measures ways: folders, and the settings that a worker would have. */
export interface WayMeans {
  readonly preparedDir: string | undefined;
  /** Keeps what was measured. */
  readonly calibrationDir: string;
  readonly lanes: Omit<LanePlanOptions, "calibrationDir">;
  readonly tokenizer?: TokenizerChoice | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  /** True to tell what is kept, and to measure nothing. */
  readonly onlyKept?: boolean | undefined;
  /** Told each time before something is measured. */
  readonly onMeasuring?: (() => void) | undefined;
}

/** Whether lanes load prepared files of a model. */
export function loadsPrepared(model: ResolvedModel, preparedDir: string | undefined): boolean {
  return preparedDir !== undefined && (arePrepared(model) || isPreparable(model));
}
