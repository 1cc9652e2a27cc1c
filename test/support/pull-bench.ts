import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, vi } from "vitest";
import { findEntry } from "../../src/core/catalogue.js";
import type { CatalogueEntry } from "../../src/core/catalogue.js";
import type { HubFile, HubSource } from "../../src/core/catalogue-source.js";
import { RankmillError } from "../../src/core/errors.js";
import { loadCatalogue } from "../../src/models/catalogue-files.js";
import { pulledModelFolder } from "../../src/models/model-cache.js";
import type { PullOptions } from "../../src/models/pull/pull.js";
import { HubServer } from "./hub-server.js";

export const ROOT = resolve(import.meta.dirname, "../..");
export const COMMIT = "a".repeat(40);
export const REPOSITORY = "onnx-hands/example-reranker-ONNX";
export const GRAPH = "onnx/model.onnx";

const BERT = join(ROOT, "test/fixtures/models/bert");

const found = findEntry(await loadCatalogue(ROOT), "bge-reranker-base");
if (found === undefined) throw new Error("the catalogue lacks bge-reranker-base");
const template: CatalogueEntry = found;

/** A real model, small enough to be pulled many times. */
export const files = new Map<string, Buffer>();
for (const path of ["config.json", "tokenizer.json", "tokenizer_config.json", GRAPH]) {
  files.set(path, await readFile(join(BERT, path)));
}
export const graph = files.get(GRAPH) ?? Buffer.alloc(0);

/** One hub and one empty models folder per test; both are gone after it. */
export interface PullBench {
  hub: HubServer;
  modelsDir: string;
  options(more?: Partial<PullOptions>): PullOptions;
  /** The folder of a pulled model. */
  folderOf(id?: string, commit?: string): string;
}

export function usePullBench(): PullBench {
  const bench = {
    options: (more: Partial<PullOptions> = {}): PullOptions => ({
      modelsDir: bench.modelsDir,
      endpoint: bench.hub.endpoint,
      precision: "fp32",
      firstDelayMs: 1,
      ...more,
    }),
    folderOf: (id = "BAAI/bge-reranker-base", commit = COMMIT): string =>
      pulledModelFolder(bench.modelsDir, id, commit),
  } as PullBench;
  beforeEach(async () => {
    bench.hub = await HubServer.start();
    bench.hub.add(REPOSITORY, { commit: COMMIT, files });
    bench.modelsDir = await mkdtemp(join(tmpdir(), "rankmill-pull-"));
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await bench.hub.close();
    await rm(bench.modelsDir, { recursive: true, force: true });
  });
  return bench;
}

/** The entry of bge-reranker-base, taken from the test's hub, nothing known of its files. */
export function entry(
  source: Partial<HubSource> = {},
  rest: Partial<CatalogueEntry> = {},
): CatalogueEntry {
  return {
    ...template,
    ...rest,
    source: {
      kind: "hub",
      repository: REPOSITORY,
      revision: null,
      pinnedOnPull: true,
      common: [unknown("config.json"), unknown("tokenizer.json"), unknown("tokenizer_config.json")],
      files: { fp32: [unknown(GRAPH)] },
      ...source,
    },
  };
}

export function unknown(path: string): HubFile {
  return { path, sha256: null, bytes: null };
}

export function known(path: string): HubFile {
  const bytes = files.get(path) ?? Buffer.alloc(0);
  return { path, sha256: sha256(bytes), bytes: bytes.length };
}

export function filesWithout(path: string): Map<string, Buffer> {
  return new Map([...files].filter(([name]) => name !== path));
}

export function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The error that `work` was refused with: on purpose, and in one line. */
export async function refusal(work: Promise<unknown>): Promise<RankmillError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RankmillError))
    throw new Error("not refused on purpose", { cause: error });
  expect(error.message, "one line").not.toContain("\n");
  return error;
}

/** Files that a finished pull has no use for. */
export async function leftovers(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => /\.(partial|tmp|claim)/.test(name));
}
