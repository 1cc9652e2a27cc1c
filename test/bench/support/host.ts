import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { REPOSITORY } from "./places.js";

/** One line on what was measured on. */
export function describeHost(): string {
  const load = loadavg().map((value) => value.toFixed(1));
  return [
    `${availableParallelism()} cores of ${cpus()[0]?.model ?? "an unknown processor"}`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Node ${process.versions.node}`,
    `onnxruntime-node ${onnxRuntimeVersion()}`,
    `load ${load.join(" ")} at the start`,
  ].join(", ");
}

function onnxRuntimeVersion(): string {
  const path = join(REPOSITORY, "node_modules/onnxruntime-node/package.json");
  const manifest = JSON.parse(readFileSync(path, "utf8")) as { version: string };
  return manifest.version;
}
