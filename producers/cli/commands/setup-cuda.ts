import { join } from "node:path";
import type { Command } from "commander";
import { RankmillError } from "../../../src/core/errors.js";
import {
  CUDA_RUNTIME_VERSION,
  CUDA_WHEELS,
  RUNTIME_NAME,
} from "../../../src/models/cuda/cuda-wheels.js";
import { cudaDir } from "../context.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { DEVICE } from "../options/device.js";
import { MESSAGES } from "../options/messages.js";
import { NATIVE_SETUP } from "../options/native-setup.js";
import { pick } from "../options/option-spec.js";
import { setUpNative } from "../set-up-native.js";

const GROUPS = {
  setup: NATIVE_SETUP,
  device: pick(DEVICE, "cudaDir"),
  messages: pick(MESSAGES, "json"),
};

export function addSetupCuda(setup: Command): void {
  const command = setup
    .command("cuda")
    .description("fetch the files that lanes need on NVIDIA GPUs, pinned and verified")
    .action(async (parsed: Record<string, unknown>) => {
      process.exitCode = await setUpCuda(parsed);
    });
  addOptions(command, GROUPS);
  addHelp(command, {
    examples: ["rankmill setup cuda"],
    notes: [
      `Fetches ONNX Runtime's CUDA provider for onnxruntime-node ${CUDA_RUNTIME_VERSION}, 250 MB, from its publisher's wheel in a Python package index: with pip and pip's index, or from --index-url without pip. --with-libraries fetches NVIDIA's libraries too, under NVIDIA's licence, which is put beside them. Without a network, "pip download" the files elsewhere and give their folder with --from.`,
    ],
  });
}

async function setUpCuda(parsed: Record<string, unknown>): Promise<number> {
  const { setup, device, messages } = readOptions(GROUPS, parsed);
  const { runtimeDir, runtimeVersion } =
    await import("../../../src/inference/runtime/installed-onnx-runtime.js");
  const version = await runtimeVersion();
  if (version !== CUDA_RUNTIME_VERSION) {
    throw new RankmillError(
      "missing_dependency",
      `the CUDA provider that is known is for onnxruntime-node ${CUDA_RUNTIME_VERSION}, installed is ${version}: npm install --ignore-scripts onnxruntime-node@${CUDA_RUNTIME_VERSION}`,
    );
  }
  return await setUpNative({
    dir: cudaDir(device.cudaDir),
    wheels: CUDA_WHEELS.filter(({ part }) => part === "provider" || setup.withLibraries),
    // The provider is looked for beside the runtime's own library.
    copied: { path: join(runtimeDir(), RUNTIME_NAME), name: RUNTIME_NAME },
    place: { folder: "CUDA folder", again: 'run "rankmill setup cuda" again' },
    from: setup.from,
    indexUrl: setup.indexUrl,
    json: messages.json,
  });
}
