import type { Command } from "commander";
import { RankmillError } from "../../../src/core/errors.js";
import { OPENVINO_VERSION, openVinoWheel } from "../../../src/models/openvino/openvino-wheels.js";
import { openvinoDir } from "../context.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { DEVICE } from "../options/device.js";
import { MESSAGES } from "../options/messages.js";
import { NATIVE_SETUP } from "../options/native-setup.js";
import { pick } from "../options/option-spec.js";
import { setUpNative } from "../set-up-native.js";

const GROUPS = {
  setup: pick(NATIVE_SETUP, "indexUrl", "from"),
  runtime: pick(DEVICE, "openvinoDir"),
  messages: pick(MESSAGES, "json"),
};

export function addSetupOpenVino(setup: Command): void {
  const command = setup
    .command("openvino")
    .description("fetch the libraries of OpenVINO, a second runtime for CPUs, pinned and verified")
    .action(async (parsed: Record<string, unknown>) => {
      process.exitCode = await setUpOpenVino(parsed);
    });
  addOptions(command, GROUPS);
  addHelp(command, {
    examples: ["rankmill setup openvino"],
    notes: [
      `Fetches OpenVINO ${OPENVINO_VERSION}, 59 MB on x64 and 30 MB on arm64, from its publisher's wheel in a Python package index, and unpacks the libraries that a CPU needs, 93 and 69 MB: with pip and pip's index, or from --index-url without pip. Without a network, "pip download" the wheel elsewhere and give its folder with --from.`,
    ],
  });
}

async function setUpOpenVino(parsed: Record<string, unknown>): Promise<number> {
  const { setup, runtime, messages } = readOptions(GROUPS, parsed);
  const wheel = openVinoWheel(process.platform, process.arch);
  if (wheel === undefined) {
    throw new RankmillError(
      "missing_dependency",
      `OpenVINO is set up on Linux on x64 and arm64 only, this is ${process.platform} on ${process.arch}: use ONNX Runtime, which comes with rankmill`,
    );
  }
  return await setUpNative({
    dir: openvinoDir(runtime.openvinoDir),
    wheels: [wheel],
    place: { folder: "OpenVINO folder", again: 'run "rankmill setup openvino" again' },
    from: setup.from,
    indexUrl: setup.indexUrl,
    json: messages.json,
  });
}
