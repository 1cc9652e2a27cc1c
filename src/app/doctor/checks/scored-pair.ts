import { scorePairs } from "../../score-pairs.js";
import type { Check } from "../check.js";
import { ok, problem } from "../finding.js";
import { EXAMPLE_PAIR } from "../example-pair.js";

/** Tokenizer, lane process, runtime, device and model make a score of a pair. */
export const scoredPair: Check = {
  name: "scored-pair",
  needs: "model",
  timeoutMs: 600_000,
  run: async ({ model, device, runtime }, { env, tokenizer }) => {
    const started = performance.now();
    const [logit = Number.NaN] = await scorePairs(model, [EXAMPLE_PAIR], env, {
      device,
      runtime,
      tokenizer,
    });
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    if (Number.isFinite(logit)) {
      return [
        ok(`a lane opened the model and scored a pair: ${logit.toFixed(4)}, in ${seconds} s`),
      ];
    }
    return [
      problem(
        `${model.name} ${model.precision} gives ${logit} for an ordinary pair`,
        "take another precision or export: every document would fail",
      ),
    ];
  },
};
