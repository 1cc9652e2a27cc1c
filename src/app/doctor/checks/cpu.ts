import { option, wording } from "../../../core/wording.js";
import {
  hasInt8Dot,
  quantisedHandling,
  readCpuFeatures,
} from "../../../inference/host/cpu-features.js";
import { usableCores } from "../../../inference/host/host.js";
import type { Check } from "../check.js";
import { note, ok, warning } from "../finding.js";

/** The CPU is good at the precision that was chosen. */
export const cpu: Check = {
  name: "cpu",
  needs: "model",
  run: async ({ model, device }) => {
    const features = await readCpuFeatures();
    const cores = await usableCores();
    const here = `${cores} core${cores === 1 ? "" : "s"} of ${features.model.trim()}`;
    if (device.cards !== undefined) return [ok(`${here}, beside the GPU`)];
    const { note: said } = quantisedHandling(model.precision, features);
    if (said !== undefined) {
      return [warning(`${here}: ${said}`, "choose another precision, or another machine")];
    }
    const others = new Set(model.folder.files.map(({ precision }) => precision));
    if (model.precision === "fp32" && others.has("int8") && hasInt8Dot(features) === true) {
      return [
        note(
          `${here}; int8 is 2 to 5 times as fast as fp32 on it`,
          wording`try ${option("precision", "int8")} and compare with \`rankmill eval\`: its scores are others`,
        ),
      ];
    }
    return [ok(`${here}, fit for ${model.precision}`)];
  },
};
