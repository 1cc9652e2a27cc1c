import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { OnnxOutline } from "../../../models/onnx/onnx-outline.js";
import type { OpenVino } from "./openvino-library.js";

/** A line of `/proc/self/maps` of a file that is mapped to be read. */
const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) r--[sp] \S+ \S+ \d+ +(\/.*)$/;

/**
 * Lets go of the pages of weights that this process has mapped. OpenVINO has packed most of them by now and reads
 * of the rest a few rows per pair, yet all that it has once read would count as this process's memory. What is
 * needed again comes from the file.
 */
export function letGoOfWeights(
  library: Pick<OpenVino, "letGo">,
  onnxPath: string,
  { externalData }: Pick<OnnxOutline, "externalData">,
): void {
  const folder = dirname(onnxPath);
  const files = new Set([...externalData.keys()].map((name) => realpathSync(join(folder, name))));
  for (const line of readFileSync("/proc/self/maps", "utf8").split("\n")) {
    const [, from = "", to = "", path = ""] = MAPPING.exec(line) ?? [];
    if (!files.has(path)) continue;
    const start = BigInt(`0x${from}`);
    library.letGo(start, Number(BigInt(`0x${to}`) - start));
  }
  if (files.size > 0) forgetPeak();
}

/** Whoever plans memory takes the peak of the resident size, less what is mapped now, for the peak of the rest. */
function forgetPeak(): void {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    // The plan then leaves more room than is needed to open a lane.
  }
}
