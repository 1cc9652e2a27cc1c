/** Facts about the installed `onnxruntime-node`, found without loading it. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";
import { RankmillError } from "../../core/errors.js";
import { installAdvice } from "../../platform/install-advice.js";

const packageSchema = z.object({ version: z.string() });

/** @throws RankmillError `missing_dependency` */
export async function runtimeVersion(): Promise<string> {
  try {
    return packageSchema.parse(JSON.parse(await readFile(manifestPath(), "utf8"))).version;
  } catch (error) {
    throw new RankmillError(
      "missing_dependency",
      `a worker needs onnxruntime-node: ${installAdvice("onnxruntime-node")}`,
      { cause: error },
    );
  }
}

/** The folder of its native libraries. */
export function runtimeDir(): string {
  return join(dirname(manifestPath()), "bin", "napi-v6", process.platform, process.arch);
}

function manifestPath(): string {
  return createRequire(import.meta.url).resolve("onnxruntime-node/package.json");
}
