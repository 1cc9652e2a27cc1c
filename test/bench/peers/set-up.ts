import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { say } from "../support/print.js";

/** What llama.cpp's converter of models consists of, in the source of its Python package. */
const CONVERTER = ["convert_hf_to_gguf.py", "conversion", "gguf-py"];

/** Makes an environment with the peers in `folder`, or completes it. @returns the exit code */
export function setUp(folder: string, withLlama: boolean): number {
  const pip = join(folder, "bin/pip");
  // With every package named, pip has nothing to choose, for which it would take an hour.
  const done =
    run("python3", "-m", "venv", folder) &&
    run(pip, "install", "--no-deps", "-r", besides("requirements.lock")) &&
    (!withLlama || addLlama(folder, pip));
  if (done) say(`now: npm run bench -- peers --python ${join(folder, "bin/python")}`);
  return done ? 0 : 1;
}

/** llama.cpp from PyPI, compiled for this CPU, with the converter that its source has. */
function addLlama(folder: string, pip: string): boolean {
  const requirements = ["--no-deps", "-r", besides("llama.txt")];
  const target = join(folder, "llama.cpp");
  mkdirSync(target, { recursive: true });
  if (!run(pip, "download", ...requirements, "--dest", target)) return false;
  const source = readdirSync(target).find((name) => name.endsWith(".tar.gz")) ?? "";
  const wanted = CONVERTER.map((name) => `*/vendor/llama.cpp/${name}`);
  const unpack = ["--extract", "--directory", target, "--strip-components=3", "--wildcards"];
  return (
    run("tar", ...unpack, "--file", join(target, source), ...wanted) &&
    run(pip, "install", ...requirements)
  );
}

function run(program: string, ...words: readonly string[]): boolean {
  return spawnSync(program, words, { stdio: "inherit" }).status === 0;
}

function besides(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
