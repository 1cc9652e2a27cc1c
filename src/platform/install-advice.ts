import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { packageRoot } from "./package-root.js";

const manifestSchema = z.object({
  version: z.string().default("VERSION"),
  optionalDependencies: z.record(z.string(), z.string()).optional(),
  peerDependencies: z.record(z.string(), z.string()).optional(),
});

/**
 * The command that brings back an optional package. npm leaves one out without a word if its install script
 * fails, as that of onnxruntime-node does if it cannot fetch CUDA files; rankmill needs none of these scripts.
 *
 * @param root rankmill's own folder
 */
export function installAdvice(name: string, root = packageRoot()): string {
  const text = readFileSync(join(root, "package.json"), "utf8");
  const { version, optionalDependencies, peerDependencies } = manifestSchema.parse(
    JSON.parse(text),
  );
  const wanted = optionalDependencies?.[name] ?? peerDependencies?.[name];
  const exact = wanted === undefined ? name : `${name}@${wanted}`;
  const holder = dirname(root);
  const isInstalled = basename(holder) === "node_modules";
  // A global installation belongs to no project into which the package could be installed.
  const isGlobal = isInstalled && !existsSync(join(holder, "..", "package.json"));
  return isGlobal
    ? `npm install -g --ignore-scripts rankmill-${version}.tgz`
    : `npm install --ignore-scripts ${exact}`;
}
