import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createGzip } from "node:zlib";
import { docker, inspect, ROOT } from "../../containers/support/docker.js";

const run = promisify(execFile);
/** A listing of all files of a layer. */
const MAX_LISTING_BYTES = 64 * 1024 * 1024;
const NAMED_FOLDERS = 4;
/** Folders are told apart this deep: `usr/local/bin`, `app/node_modules/onnxruntime-node`. */
const DEPTH = 3;

export interface ImageSize {
  readonly bytes: number;
  readonly gzipBytes: number;
  /** Undefined without `zstd` on PATH. */
  readonly zstdBytes: number | undefined;
  readonly layers: readonly LayerSize[];
}

interface LayerSize {
  readonly bytes: number;
  readonly gzipBytes: number;
  /** Its largest folders with their sizes, largest first. */
  readonly folders: readonly (readonly [string, number])[];
}

export async function measureImage(image: string): Promise<ImageSize> {
  const folder = await mkdtemp(join(tmpdir(), "rankmill-image-"));
  try {
    const archive = join(folder, "image.tar");
    await docker(["save", "--output", archive, image]);
    await run("tar", ["--extract", "--file", archive, "--directory", folder]);
    const [manifest] = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as {
      Layers: string[];
    }[];
    const layers: LayerSize[] = [];
    for (const layer of manifest?.Layers ?? [])
      layers.push(await measureLayer(join(folder, layer)));
    return {
      bytes: Number(await inspect(image, "{{.Size}}")),
      gzipBytes: await gzipped(archive),
      zstdBytes: await compressedBy("zstd", ["-19", "--threads=0", "--stdout", archive]),
      layers,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureLayer(path: string): Promise<LayerSize> {
  const { stdout } = await run("tar", ["--list", "--verbose", "--file", path], {
    maxBuffer: MAX_LISTING_BYTES,
  });
  const folders = new Map<string, number>();
  for (const line of stdout.split("\n")) {
    const [, size = "0", name = ""] = /^-\S+ +\S+ +(\d+) \S+ \S+ (.+)$/.exec(line) ?? [];
    const parts = name.replace(/^\.\//, "").split("/");
    const folder = parts.slice(0, Math.min(DEPTH, parts.length - 1)).join("/");
    folders.set(folder, (folders.get(folder) ?? 0) + Number(size));
  }
  const largest = [...folders].sort(([, a], [, b]) => b - a).slice(0, NAMED_FOLDERS);
  return { bytes: (await stat(path)).size, gzipBytes: await gzipped(path), folders: largest };
}

async function gzipped(path: string): Promise<number> {
  const bytes = await compressedBy("cat", [path], true);
  if (bytes === undefined) throw new Error(`${path} could not be read`);
  return bytes;
}

/** @returns undefined if the program is not there */
async function compressedBy(
  program: string,
  args: readonly string[],
  gzip = false,
): Promise<number | undefined> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const missing = once(child, "error").then(() => undefined);
  const stream = gzip ? child.stdout.pipe(createGzip()) : child.stdout;
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => (bytes += chunk.length));
  return await Promise.race([missing, once(stream, "end").then(() => bytes)]);
}

/** @returns seconds */
export async function timeBuild(image: string, cached: boolean): Promise<number> {
  const started = performance.now();
  const cache = cached ? [] : ["--no-cache"];
  await docker([
    "build",
    ...cache,
    "--file",
    join(ROOT, "docker/cpu.Dockerfile"),
    "--tag",
    image,
    ROOT,
  ]);
  return (performance.now() - started) / 1_000;
}
