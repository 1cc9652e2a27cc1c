import { hasCalibration } from "../../../capacity/calibrate-once.js";
import { deviceOf } from "../../../inference/devices/registry.js";
import { MIN_PREPARE_BYTES } from "../../../inference/prepare/prepare-model.js";
import type { Check } from "../check.js";
import { note, ok, problem, type Said } from "../finding.js";
import { preparedHere } from "../prepared-here.js";

/** Prepared model and calibration are there and whole, so that a start takes seconds. */
export const caches: Check = {
  name: "caches",
  needs: "model",
  timeoutMs: 600_000,
  run: async ({ model, device, runtime }, { folders }) => {
    if (!deviceOf(device.kind).loadsPrepared) return [ok("this device needs none")];
    if (model.file.bytes < MIN_PREPARE_BYTES) return [ok(`${model.name} is too small to need any`)];
    const said: Said[] = [];
    const ahead = `rankmill models prepare ${model.name} --calibrate`;
    if (folders.prepared !== undefined) {
      const prepared = await preparedHere(model, runtime, folders.prepared, true);
      if (prepared.status === "damaged") {
        said.push(
          problem(
            `the prepared model is damaged: ${prepared.reason}`,
            `check the disk; ${ahead} makes it anew, as does the next start`,
          ),
        );
      } else if (prepared.status === "missing") {
        said.push(note("the model is not prepared: the first start does it once", ahead));
      }
    }
    const prepared = folders.prepared !== undefined;
    if (!(await hasCalibration(model, prepared, folders.calibration))) {
      said.push(note("the model is not measured here: the first start does it once", ahead));
    }
    return said.length > 0 ? said : [ok("prepared and measured; every prepared byte is as it was")];
  },
};
