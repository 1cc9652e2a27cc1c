/**
 * What a folder of model files holds, read without the native runtime, so that a command line or a
 * producer can say what is wrong with a model before any process loads it.
 */
import { access, readdir, stat } from "node:fs/promises";
import { constants } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { Precision } from "../core/catalogue.js";
import { RankmillError } from "../core/errors.js";
import { asModelReadError, errnoOf } from "./file-system-errors.js";
import { readModelConfig } from "./model-config.js";
import type { ModelConfig } from "./model-config.js";
import { classifyOnnxName } from "./onnx-names.js";

/** Where exporters put graphs: the root, or `onnx/` as on the hub. */
const ONNX_FOLDERS = ["", "onnx"] as const;

export interface ModelFile {
  readonly precision: Precision;
  /** Absolute path of the graph. */
  readonly path: string;
  /** Absolute paths of the files that hold its weights, where they are outside the graph. */
  readonly externalData: readonly string[];
  /** Graph and external data together. */
  readonly bytes: number;
}

export interface ModelFolder extends ModelConfig {
  /** Absolute path. */
  readonly path: string;
  /** The folder's own name. */
  readonly name: string;
  readonly tokenizerPath: string;
  readonly configPath: string;
  /** At least one; the preferred file of a precision comes first. */
  readonly files: readonly ModelFile[];
}

/**
 * @throws RankmillError `model_not_found` where there is no such folder; `model_unusable` with the
 *   reason and what to do where it holds no reranker that can be run
 */
export async function inspectModelFolder(dir: string): Promise<ModelFolder> {
  const path = resolve(dir);
  await checkFolder(path);
  const files = await findOnnxFiles(path);
  if (files.length === 0) {
    throw new RankmillError(
      "model_unusable",
      `${path} holds no ONNX file (looked for model.onnx, model_fp16.onnx, model_int8.onnx and the like, there and in onnx/): export the model or pull one that has ONNX files`,
    );
  }
  const tokenizerPath = join(path, "tokenizer.json");
  await checkTokenizer(tokenizerPath, path);
  const config = await readModelConfig(path);
  return {
    ...config,
    path,
    name: basename(path),
    tokenizerPath,
    configPath: join(path, "config.json"),
    files,
  };
}

/**
 * The file to run.
 * @param wanted one precision, or several in order of preference; fp32 where not given: a quantised
 *   model is chosen, never assumed
 */
export function chooseFile(
  folder: ModelFolder,
  wanted: Precision | readonly Precision[] = "fp32",
): ModelFile {
  const order = typeof wanted === "string" ? [wanted] : wanted;
  for (const precision of order) {
    const file = folder.files.find((candidate) => candidate.precision === precision);
    if (file !== undefined) return file;
  }
  const present = [...new Set(folder.files.map((file) => file.precision))].join(", ");
  throw new RankmillError(
    "model_unusable",
    `${folder.path} has no ${order.join(" or ")} file, only ${present}: choose one of these with --precision`,
  );
}

async function checkFolder(path: string): Promise<void> {
  try {
    const info = await stat(path);
    if (!info.isDirectory()) throw Object.assign(new Error(path), { code: "ENOTDIR" });
    await access(path, constants.R_OK | constants.X_OK);
  } catch (error) {
    throw asModelReadError(error, path);
  }
}

async function checkTokenizer(tokenizerPath: string, folder: string): Promise<void> {
  try {
    await access(tokenizerPath, constants.R_OK);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw asModelReadError(error, tokenizerPath);
    throw new RankmillError(
      "model_unusable",
      `${folder} has no tokenizer.json: copy it from the repository that the model came from, or save the tokenizer with transformers' fast tokenizer`,
    );
  }
}

async function findOnnxFiles(root: string): Promise<ModelFile[]> {
  const found: { file: ModelFile; rank: number }[] = [];
  for (const [folderRank, sub] of ONNX_FOLDERS.entries()) {
    const folder = join(root, sub);
    const names = await listFolder(folder);
    for (const name of names) {
      const kind = classifyOnnxName(name);
      if (kind === undefined) continue;
      const file = await describeFile(folder, name, names, kind.precision);
      found.push({ file, rank: kind.rank * ONNX_FOLDERS.length + folderRank });
    }
  }
  return found.sort((a, b) => a.rank - b.rank).map((entry) => entry.file);
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw asModelReadError(error, folder);
  }
}

async function describeFile(
  folder: string,
  name: string,
  siblings: readonly string[],
  precision: Precision,
): Promise<ModelFile> {
  const path = join(folder, name);
  const externalData = siblings.filter((sibling) => isDataOf(name, sibling));
  const paths = externalData.map((sibling) => join(folder, sibling));
  let bytes = 0;
  for (const part of [path, ...paths]) {
    try {
      bytes += (await stat(part)).size;
    } catch (error) {
      throw asModelReadError(error, part);
    }
  }
  return { precision, path, externalData: paths, bytes };
}

/** `model.onnx_data`, `model.onnx_data_1`, `model.onnx.data`: the names that exporters write. */
function isDataOf(graph: string, sibling: string): boolean {
  if (!sibling.startsWith(graph)) return false;
  return /^[._]data(_\d+)?$/.test(sibling.slice(graph.length));
}
