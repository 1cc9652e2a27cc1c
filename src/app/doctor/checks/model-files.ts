import { digestModel } from "../../../models/digest.js";
import type { Check } from "../check.js";
import { ok, problem } from "../finding.js";

/** The model's files are to the byte what they were when their hashes were kept. */
export const modelFiles: Check = {
  name: "model-files",
  needs: "model",
  // Some gigabytes from a cold disk.
  timeoutMs: 600_000,
  run: async ({ model }) => {
    const { folder, precision, digest, file, name } = model;
    // The cache of hashes is not asked: a flipped byte changes neither size nor times.
    const found = await digestModel(folder, precision, { onnxPath: file.path });
    if (found === digest) return [ok(`${name} ${precision}: every byte is as it was`)];
    return [
      problem(
        `files of ${name} in ${folder.path} have changed without a trace: sha256 ${found.slice(0, 12)}…, it was ${digest.slice(0, 12)}…`,
        "check the disk, delete the folder and pull or copy the model again",
      ),
    ];
  },
};
