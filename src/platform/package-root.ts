import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of rankmill's own package.json, which holds `models/`. Works from `src` and `dist`. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) {
    const above = dirname(folder);
    if (above === folder)
      throw new Error("rankmill's package.json is gone: install the package again");
    folder = above;
  }
  return folder;
}

/** Read once: a process keeps its version, though the package is replaced meanwhile. */
let version: string | undefined;

/** By hand, since `rankmill --version` loads no schema library. */
export function packageVersion(): string {
  version ??= readVersion();
  return version;
}

function readVersion(): string {
  const text = readFileSync(join(packageRoot(), "package.json"), "utf8");
  const manifest: unknown = JSON.parse(text);
  if (typeof manifest === "object" && manifest !== null && "version" in manifest)
    return String(manifest.version);
  throw new Error("rankmill's package.json names no version: install the package again");
}
