import { join } from "node:path";
import type { Command } from "commander";
import {
  CUDA_RUNTIME_VERSION,
  CUDA_WHEELS,
  RUNTIME_NAME,
} from "../../../src/models/cuda/cuda-wheels.js";
import { RankmillError } from "../../../src/core/errors.js";
import { setupCuda, type WheelSource } from "../../../src/models/cuda/cuda-setup.js";
import { cudaDir } from "../context.js";
import { env, print, say } from "../terminal.js";
import { EXIT } from "../exit-codes.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { CUDA_SETUP } from "../options/cuda-setup.js";
import { DEVICE } from "../options/device.js";
import { MESSAGES } from "../options/messages.js";
import { pick } from "../options/option-spec.js";

import { DownloadProgress } from "../download-progress.js";
import { stopSignal } from "../stop-signal.js";

const GROUPS = {
  setup: CUDA_SETUP,
  device: pick(DEVICE, "cudaDir"),
  messages: pick(MESSAGES, "json"),
};

export function defineSetup(setup: Command): void {
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
  const values = readOptions(GROUPS, parsed);
  const { runtimeDir, runtimeVersion } =
    await import("../../../src/inference/runtime/installed-onnx-runtime.js");
  const version = await runtimeVersion();
  if (version !== CUDA_RUNTIME_VERSION) {
    throw new RankmillError(
      "missing_dependency",
      `the CUDA provider that is known is for onnxruntime-node ${CUDA_RUNTIME_VERSION}, installed is ${version}: npm install --ignore-scripts onnxruntime-node@${CUDA_RUNTIME_VERSION}`,
    );
  }
  const display = new DownloadProgress(process.stderr);
  const done = await setupCuda({
    dir: cudaDir(values.device.cudaDir),
    wheels: CUDA_WHEELS.filter(({ part }) => part === "provider" || values.setup.withLibraries),
    source: sourceOf(values.setup.from, values.setup.indexUrl),
    runtimePath: join(runtimeDir(), RUNTIME_NAME),
    onProgress: ({ phase, path, bytes, totalBytes }) => {
      if (phase === "waiting") display.show("waiting: another process does the same");
      else display.show(`${phase} ${path}`, bytes, totalBytes);
    },
    signal: stopSignal(),
  }).finally(() => display.stop());
  for (const { name, bytes, sha256, fetched } of done.files) {
    say(
      `${fetched ? "fetched " : "verified"} ${name} (${bytes} bytes, sha256 ${sha256.slice(0, 12)}…)`,
    );
  }
  print(values.messages.json ? JSON.stringify(done) : done.dir);
  return EXIT.ok;
}

function sourceOf(from: string | undefined, indexUrl: string | undefined): WheelSource {
  if (from !== undefined) return { kind: "folder", path: from };
  if (indexUrl !== undefined) return { kind: "index", url: indexUrl };
  return { kind: "pip", python: env["PYTHON"] ?? "python3" };
}
