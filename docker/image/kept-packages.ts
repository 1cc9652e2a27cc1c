import { cpSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Node's name of the architecture. */
export type ImageArch = "x64" | "arm64";

/**
 * Packages that find files beside themselves and cannot be bundled, each with what is loaded of it:
 * the rest (other platforms' binaries, type declarations, source maps) stays behind.
 */
const KEPT: Readonly<Record<string, (arch: ImageArch) => readonly string[]>> = {
  "onnxruntime-node": (arch) => [
    "dist/index.js",
    "dist/backend.js",
    "dist/binding.js",
    "dist/version.js",
    `bin/napi-v6/linux/${arch}/onnxruntime_binding.node`,
    `bin/napi-v6/linux/${arch}/libonnxruntime.so.1`,
  ],
  "onnxruntime-common": () => ["dist/cjs"],
  tokenizers: (arch) => ["index.js", `tokenizers.linux-${arch}-gnu.node`],
  // Calls OpenVINO's C library, in the image that has it; its binary is a package of its own.
  koffi: () => ["index.js", "src/koffi/index.js", "src/koffi/src/static.js"],
  "@koromix/koffi-linux-x64": (arch) => onlyOn("x64", arch, ["index.js", "linux_x64/koffi.node"]),
  "@koromix/koffi-linux-arm64": (arch) =>
    onlyOn("arm64", arch, ["index.js", "linux_arm64/koffi.node"]),
  // `rankmill run` in a container of its own, if no Redis is named.
  "js-redis-server": () => ["dist/core.mjs", "dist/index.js"],
  "lua-redis-wasm": () => ["dist/index.node.mjs", "dist/redis_lua.mjs", "dist/redis_lua.wasm"],
  "cluster-key-slot": () => ["lib/index.js"],
  // The page of `rankmill dashboard`: files that are served, not loaded.
  "@bull-board/ui": () => ["dist"],
};

function onlyOn(wanted: ImageArch, arch: ImageArch, files: readonly string[]): readonly string[] {
  return arch === wanted ? files : [];
}

/** Names of all, whatever the architecture. */
export const KEPT_PACKAGES = Object.keys(KEPT);

/** Names of those of which an image of `arch` holds something. */
export function keptPackages(arch: ImageArch): readonly string[] {
  return Object.entries(KEPT).flatMap(([name, filesOf]) => (filesOf(arch).length > 0 ? name : []));
}

/** Copies what is loaded of each kept package into `target`/node_modules. */
export function copyKeptPackages(root: string, target: string, arch: ImageArch): void {
  for (const [name, filesOf] of Object.entries(KEPT)) {
    const files = filesOf(arch);
    if (files.length === 0) continue;
    const from = join(root, "node_modules", name);
    const to = join(target, "node_modules", name);
    for (const file of ["package.json", ...files]) {
      if (!existsSync(join(from, file))) throw new Error(`${name} has no ${file} any more`);
      cpSync(join(from, file), join(to, file), {
        recursive: true,
        filter: (source) => !/\.(map|d\.ts)$/.test(source) && dirname(source) !== "test",
      });
    }
  }
}
