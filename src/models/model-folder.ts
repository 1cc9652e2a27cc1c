/**
 * The contents of a model's folder, read without the native runtime, so that a command line or a
 * producer can say what is wrong with a model before any process loads it.
 */
import { access, readdir, stat } from "node:fs/promises";
import { constants } from "node:fs";
import { basename, isAbsolute, join, resolve } from "node:path";
import type { Form } from "../core/forms/registry.js";
import { COMPUTED_PRECISIONS, type Precision } from "../core/precision.js";
import { RankmillError } from "../core/errors.js";
import { asModelReadError, errnoOf } from "../platform/file-system-errors.js";
import { readModelConfig } from "./model-config.js";
import type { ModelConfig } from "./model-config.js";
import { givesScores, whyNotReranker, type GraphUse } from "./onnx/onnx-check.js";
import { classifyOnnxName, isDataOf } from "./onnx/onnx-names.js";
import { readOnnxOutline } from "./onnx/onnx-outline.js";
import { pastLayout } from "./onnx/past-layout.js";
import type { OnnxOutline } from "./onnx/onnx-outline.js";
import { readModelUse, type ModelUse } from "./model-use.js";
import { MalformedProtobufError } from "./onnx/protobuf-reader.js";
import { option, wording } from "../core/wording.js";

/** Folders in which exporters put graphs: the root, or `onnx/` as on the hub. */
const ONNX_FOLDERS = ["", "onnx"] as const;

export interface ModelFile {
  readonly precision: Precision;
  /** Absolute path of the graph. */
  readonly path: string;
  /** Absolute paths of the files that hold its weights, if they are outside the graph. */
  readonly externalData: readonly string[];
  /** Graph and external data together. */
  readonly bytes: number;
  /** True if scores of the file as it is depend on padding and batch-mates: it runs one pair at a time. */
  readonly dynamicallyQuantised: boolean;
  /** True if it can be computed in the numeric form `rows`. */
  readonly takesRowScales: boolean;
  /**
   * Bytes of keys and values per token, if the graph takes and gives them: what pairs of a query share is then
   * computed once.
   */
  readonly prefixBytesPerToken?: number | undefined;
  /** True if the graph ends in a Sigmoid of its own: what it gives is a score, and no logit. */
  readonly activated: boolean;
  /** The reason why the file cannot be run, and what to do about it; undefined if nothing speaks against it. */
  readonly problem: string | undefined;
}

export interface ModelFolder extends ModelConfig, ModelUse {
  /** Absolute path. */
  readonly path: string;
  /** The folder's own name. */
  readonly name: string;
  readonly tokenizerPath: string;
  readonly configPath: string;
  /** The files, at least one; the preferred file of a precision comes first. */
  readonly files: readonly ModelFile[];
}

/**
 * @throws RankmillError `model_not_found` if there is no such folder; `model_unusable` with the
 *   reason and what to do if it holds no reranker that can be run
 */
export async function inspectModelFolder(dir: string): Promise<ModelFolder> {
  const path = resolve(dir);
  await checkFolder(path);
  const found = await findOnnxFiles(path);
  if (found.length === 0) {
    throw new RankmillError(
      "model_unusable",
      `${path} holds no ONNX file (looked for model.onnx, model_fp16.onnx, model_int8.onnx and the like, there and in onnx/): export the model or pull one that has ONNX files`,
    );
  }
  const tokenizerPath = join(path, "tokenizer.json");
  await checkTokenizer(tokenizerPath, path);
  await requireFile(join(path, "config.json"));
  const config = await readModelConfig(path);
  const use = await readModelUse(path, config);
  const graphUse = { labels: config.numLabels, head: use.head };
  const files: ModelFile[] = [];
  for (const file of found) files.push(await describeFile(file, graphUse));
  return {
    ...config,
    ...use,
    path,
    name: basename(path),
    tokenizerPath,
    configPath: join(path, "config.json"),
    files,
  };
}

/** A file to run, and the numbers with which. */
export interface ChosenFile {
  readonly precision: Precision;
  /** The form of a precision that is computed from another's file; undefined: the file's own numbers. */
  readonly form: Form | undefined;
  readonly file: ModelFile;
}

/**
 * The file to run.
 * @param wanted one precision, or several in order of preference; fp32 if not given: a quantised
 *   model is chosen, never assumed
 */
export function chooseFile(
  folder: ModelFolder,
  wanted: Precision | readonly Precision[] = "fp32",
  computed = COMPUTED_PRECISIONS,
): ChosenFile {
  const order = typeof wanted === "string" ? [wanted] : wanted;
  const fileOf = (precision: Precision | undefined): ModelFile | undefined =>
    folder.files.find((candidate) => candidate.precision === precision);
  for (const precision of order) {
    const own = fileOf(precision);
    const file = own ?? fileOf(computed[precision]?.from);
    if (file === undefined) continue;
    const form = own === undefined ? computed[precision]?.form : undefined;
    if (file.problem === undefined) return { precision, form, file };
    throw new RankmillError("model_unusable", `${file.path} cannot be used: ${file.problem}`);
  }
  const present = [...new Set(folder.files.map((file) => file.precision))].join(", ");
  const sources = order.flatMap((precision) => sourceText(precision, computed));
  throw new RankmillError(
    "model_unusable",
    wording`${folder.path} has no ${order.join(" or ")} file${sources.join("")}, only ${present}: choose one of these with ${option("precision")}`,
  );
}

/** The file that a precision without one of its own is computed from, which is not there either. */
function sourceText(precision: Precision, computed: typeof COMPUTED_PRECISIONS): readonly string[] {
  const from = computed[precision]?.from;
  return from === undefined ? [] : [` and no ${from} file to compute ${precision} from`];
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
    await requireFile(tokenizerPath);
    await access(tokenizerPath, constants.R_OK);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw asModelReadError(error, tokenizerPath);
    throw new RankmillError(
      "model_unusable",
      `${folder} has no tokenizer.json: copy it from the repository that the model came from, or save the tokenizer with transformers' fast tokenizer`,
    );
  }
}

/** @throws RankmillError `model_unusable` for a pipe or a device: whoever opens one waits for a writer, without end */
async function requireFile(path: string): Promise<void> {
  const info = await stat(path).catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw asModelReadError(error, path);
  });
  if (info === undefined || info.isFile() || info.isDirectory()) return;
  throw new RankmillError(
    "model_unusable",
    `${path} is no regular file: put the file itself, or a link to it, into the model folder`,
  );
}

/** A graph by its name, before anything of it was read. */
interface FoundFile {
  readonly folder: string;
  readonly name: string;
  /** Names of all files of its folder. */
  readonly siblings: readonly string[];
  readonly precision: Precision;
}

/** The graphs of a folder, the preferred ones first. */
async function findOnnxFiles(root: string): Promise<FoundFile[]> {
  const found: { file: FoundFile; rank: number }[] = [];
  for (const [folderRank, sub] of ONNX_FOLDERS.entries()) {
    const folder = join(root, sub);
    const siblings = await listFolder(folder);
    for (const name of siblings) {
      const kind = classifyOnnxName(name);
      if (kind === undefined) continue;
      const file = { folder, name, siblings, precision: kind.precision };
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
  { folder, name, siblings, precision }: FoundFile,
  use: GraphUse,
): Promise<ModelFile> {
  const path = join(folder, name);
  await requireFile(path);
  const contents = readContents(path, use);
  // Without a readable graph the names of its siblings are the best guess at what belongs to it.
  const locations =
    contents.outline === undefined
      ? siblings.filter((sibling) => isDataOf(name, sibling))
      : [...contents.outline.externalData.keys()].sort();
  let problem = contents.problem;
  let bytes = 0;
  try {
    bytes = (await stat(path)).size;
  } catch (error) {
    throw asModelReadError(error, path);
  }
  for (const location of locations) {
    const size = await sizeOf(join(folder, location));
    bytes += size ?? 0;
    problem ??= whyNotData(folder, location, size, contents.outline);
  }
  return {
    precision,
    path,
    externalData: locations.map((location) => join(folder, location)),
    bytes,
    dynamicallyQuantised: contents.outline?.dynamicallyQuantised ?? false,
    takesRowScales: contents.outline?.takesRowScales ?? false,
    prefixBytesPerToken: contents.outline && pastLayout(contents.outline)?.bytesPerToken,
    activated: contents.outline !== undefined && givesScores(contents.outline),
    problem,
  };
}

/** The graph's outline, or why it has none. A broken int8 file must not stop the fp32 one. */
function readContents(
  path: string,
  use: GraphUse,
): { outline?: OnnxOutline; problem: string | undefined } {
  try {
    const outline = readOnnxOutline(path);
    return { outline, problem: whyNotReranker(outline, use) };
  } catch (error) {
    if (error instanceof MalformedProtobufError) {
      return { problem: `it is damaged or no ONNX file (${error.message}): download it again` };
    }
    throw asModelReadError(error, path);
  }
}

function whyNotData(
  folder: string,
  location: string,
  size: number | undefined,
  outline: OnnxOutline | undefined,
): string | undefined {
  if (isAbsolute(location) || location.split(/[/\\]/).includes("..")) {
    return `it wants its weights from outside its folder (${location}): export it again beside them`;
  }
  if (size === undefined) {
    return `its weights are missing: ${join(folder, location)} belongs beside it, download it as well`;
  }
  const needed = outline?.externalData.get(location) ?? 0;
  return size < needed
    ? `its weights are cut off: ${join(folder, location)} has ${size} of ${needed} bytes, download it again`
    : undefined;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw asModelReadError(error, path);
  }
}
