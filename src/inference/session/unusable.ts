import { RankmillError } from "../../core/errors.js";

export function unusable(reason: string, cause?: unknown): RankmillError {
  return new RankmillError("model_unusable", `the model cannot be used: ${reason}`, { cause });
}
