import { join } from "node:path";
import { RankmillError } from "../../../core/errors.js";
import {
  librariesOf,
  OPENVINO_C,
  OPENVINO_VERSION,
  openVinoWheel,
} from "../../../models/openvino/openvino-wheels.js";
import { sizeOf } from "../../../models/pull/pulled-file.js";
import { exists } from "../../../platform/files.js";
import type { LaneModel } from "../../lanes/lane-protocol.js";
import type { Runtime } from "../runtime.js";
import { fineLengths } from "./fine-lengths.js";

const SET_UP = 'run "rankmill setup openvino"';

/**
 * Kernels are compiled for each length and kept: the most that `npm run bench -- lengths` has seen. Layers of one
 * shape share them, so that a model of more layers takes no more.
 */
const KEPT_BYTES_PER_LENGTH = 700_000;

/** Intel's OpenVINO, for CPUs, through its C library. `rankmill setup openvino` fetches it. */
export const OPENVINO: Runtime & { readonly kind: "openvino" } = {
  kind: "openvino",
  name: "OpenVINO",
  form: "openvino",
  // It computes bf16 from the numbers of an fp32 file itself; quantised graphs are ONNX Runtime's.
  files: ["fp32"],
  mapsWeights: true,
  // It packs what it multiplies, beside what is mapped.
  ownWeights: 1,
  lengths: fineLengths,
  keptBytesPerLength: KEPT_BYTES_PER_LENGTH,
  crashAdvice: 'run "rankmill setup openvino", which verifies its libraries',
  version: async () => await Promise.resolve(OPENVINO_VERSION),
  find: async ({ setupDirs }) => {
    const dir = setupDirs["openvino"] ?? "";
    const wheel = openVinoWheel(process.platform, process.arch);
    if (wheel === undefined) {
      const reason = `OpenVINO is set up on Linux on x64 and arm64 only, this is ${process.platform} on ${process.arch}`;
      return { status: "absent", reason, remedy: "leave it to ONNX Runtime" };
    }
    for (const { name, bytes } of librariesOf(wheel)) {
      const path = join(dir, name);
      const found = await sizeOf(path);
      if (found === bytes) continue;
      const reason = (await exists(path))
        ? `${path} has ${found} bytes, and not the ${bytes} of OpenVINO ${OPENVINO_VERSION}`
        : `there is no ${name} in ${dir}`;
      return { status: "absent", reason, remedy: SET_UP };
    }
    return { status: "works", libraryDir: dir };
  },
  prepare: async (model, save) => {
    const { prepareForOpenVino } = await import("./prepare-openvino.js");
    return await prepareForOpenVino(model, save, libraryPath(model));
  },
  open: async (model) => {
    // Loaded only by a lane that runs it.
    const { OpenVinoSession } = await import("./openvino-session.js");
    return await OpenVinoSession.open(model, libraryPath(model));
  },
};

/** @throws RankmillError `missing_dependency` */
function libraryPath({ runtime }: LaneModel): string {
  const dir = runtime?.libraryDir;
  if (dir !== undefined) return join(dir, OPENVINO_C);
  throw new RankmillError("missing_dependency", `OpenVINO is not set up here: ${SET_UP}`);
}
