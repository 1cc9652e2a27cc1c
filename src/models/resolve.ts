import { stat } from "node:fs/promises";
import { basename, isAbsolute, join, resolve, sep } from "node:path";
import { type CatalogueEntry, findEntry } from "../core/catalogue.js";
import { HUB_ID } from "../core/catalogue-source.js";
import type { Int8Form } from "../core/forms/int8-forms.js";
import type { Form } from "../core/forms/registry.js";
import type { Precision } from "../core/precision.js";
import { RankmillError } from "../core/errors.js";
import type { Activation } from "../core/activation.js";
import type { HeadUse } from "../core/heads/head-use.js";
import { takesInstruction } from "../core/prompt.js";
import { loadCatalogue } from "./catalogue-files.js";
import { exportCommand } from "./export-command.js";
import { whyNever } from "./never.js";
import { digestModelParts } from "./digest.js";
import type { ModelDigest } from "./digest.js";
import { errnoOf } from "../platform/file-system-errors.js";
import { didYouMean } from "../core/near-names.js";
import { option, wording } from "../core/wording.js";
import { readLock } from "./lock-file.js";
import type { LockedModel } from "./lock-file.js";
import { lockFilePath, pulledModelFolder, shortRevision } from "./model-cache.js";
import { chooseFile, inspectModelFolder } from "./model-folder.js";
import type { ModelFile, ModelFolder } from "./model-folder.js";
import { SETTINGS_FILE } from "./model-settings.js";

export interface ModelPlaces {
  /** The folder that holds the package's `models/`. */
  readonly packageRoot: string;
  /** Folder of pulled models and their lock file. Pulled models are not found if absent. */
  readonly modelsDir?: string | undefined;
}

export interface ResolveOptions extends ModelPlaces {
  /** One, or several in order of preference. Default: fp32. */
  readonly precision?: Precision | readonly Precision[] | undefined;
  /** The form of dynamic int8. Default: `rows` for files that can be computed in it. */
  readonly int8Form?: Int8Form | undefined;
  /** Remembers hashes between starts; every file is read in full if absent. */
  readonly digestCacheFile?: string | undefined;
  /** Told in one line why the remembered hashes are not believed. */
  readonly onDamaged?: ((problem: string) => void) | undefined;
}

export interface ResolvedModel {
  /** Canonical: the catalogue's id, or the name of the folder. */
  readonly name: string;
  readonly folder: ModelFolder;
  readonly precision: Precision;
  /** The way in which it is computed; absent: the file's own numbers on ONNX Runtime. */
  readonly form?: Form | undefined;
  /** True if scores depend on padding and batch-mates: pairs run one at a time. */
  readonly dynamicallyQuantised: boolean;
  /** The chosen file: its external data, its size, whether it is dynamically quantised. */
  readonly file: ModelFile;
  /** Absolute path of the graph to load. */
  readonly onnxPath: string;
  /** 12 hex digits: of the pinned commit for a pulled model, of the digest for a folder. */
  readonly revision: string;
  /** sha256 over graph, external data, tokenizer and config, 64 hex digits. */
  readonly digest: string;
  /** Tokens of an encoded pair, special tokens included. */
  readonly maxLength: { readonly default: number; readonly highest: number };
  /** Whether it has a prompt with a slot for an instruction. */
  readonly takesInstruction: boolean;
  /** The way from the numbers of its graph to one logit per pair. */
  readonly head: HeadUse;
  /** The function that makes the public score from the logit if the job does not say. */
  readonly activation: Activation;
  readonly entry?: CatalogueEntry;
}

/** The place that a name leads to, before anything in the folder is read. */
interface Location {
  readonly name: string;
  readonly path: string;
  readonly entry?: CatalogueEntry;
  readonly locked?: LockedModel;
}

/**
 * Finds the files on this machine for what a user typed, in this order: a path (starts with `.` or `/`), a
 * name or alias of the catalogue, a pulled hub id, a folder below the working directory. Opens no
 * socket.
 * @throws RankmillError `model_not_found` with the models at hand; `model_unusable` with the reason
 */
export async function resolveModel(
  nameOrDir: string,
  options: ResolveOptions,
): Promise<ResolvedModel> {
  const location = await locate(nameOrDir, options);
  const folder = await inspectModelFolder(location.path);
  const { precision, form: computed, file } = chooseFile(folder, options.precision);
  const form = computed ?? formOf(precision, file, options.int8Form);
  const digest = await digestModelParts(folder, precision, {
    cacheFile: options.digestCacheFile,
    onDamaged: options.onDamaged,
    onnxPath: file.path,
  });
  if (location.locked !== undefined) checkAgainstLock(location, location.locked, digest);
  return {
    name: location.name,
    folder,
    precision,
    form,
    dynamicallyQuantised: file.dynamicallyQuantised && form !== "rows",
    file,
    onnxPath: file.path,
    revision: shortRevision(revisionOf(location.locked, folder, digest)),
    digest: digest.digest,
    maxLength: maxLengthOf(folder, location.entry),
    takesInstruction: folder.prompt !== undefined && takesInstruction(folder.prompt),
    head: folder.head,
    activation: activationOf(folder, file, location.entry),
    ...(location.entry === undefined ? {} : { entry: location.entry }),
  };
}

/** @throws RankmillError `invalid_option` if the file cannot be computed in the form that is asked for */
function formOf(
  precision: Precision,
  { path, takesRowScales }: ModelFile,
  asked: Int8Form | undefined,
): Form | undefined {
  if (precision !== "int8" || asked === "file") return undefined;
  if (takesRowScales) return "rows";
  if (asked === undefined) return undefined;
  throw new RankmillError(
    "invalid_option",
    wording`${option("int8Form", "rows")}: ${path} has no int8 products that are scaled as they run: leave it out`,
    { field: "int8Form" },
  );
}

/**
 * The commit of a pulled model. Files that somebody has put beside it, and that change its scores, are in
 * its digest alone. So is a prompt: a worker of 0.1.0 reads none, and would serve the commit without it. What it
 * calls a digest has no prompt in it.
 */
function revisionOf(
  locked: LockedModel | undefined,
  { settingsFiles, prompt }: ModelFolder,
  { digest }: ModelDigest,
): string {
  if (locked === undefined || prompt !== undefined) return digest;
  const isAsPulled = settingsFiles.every(({ path }) => locked.files[basename(path)] !== undefined);
  return isAsPulled ? locked.revision : digest;
}

function activationOf(
  folder: ModelFolder,
  file: ModelFile,
  entry: CatalogueEntry | undefined,
): Activation {
  if (file.activated) return "identity";
  return folder.namedActivation ?? entry?.activation ?? "sigmoid";
}

/** A model that has files on this machine or could be pulled. */
export interface ListedModel {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly atHand: boolean;
  /** Precisions of the files at hand; empty if there are none. */
  readonly precisions: readonly Precision[];
  /** Short commit of a pulled model. */
  readonly revision?: string;
  /** The reason why a model that has a folder cannot be used. */
  readonly problem?: string;
  readonly entry?: CatalogueEntry;
}

/** The name that people type: a hub id's short alias, else the name itself. */
export function shortName({ name, aliases }: ListedModel): string {
  return name.includes("/") ? (aliases[0] ?? name) : name;
}

/** Every catalogued and every pulled model, those at hand first, then by name. */
export async function listModels(places: ModelPlaces): Promise<ListedModel[]> {
  const catalogue = await loadCatalogue(places.packageRoot);
  const pulled = await pulledModels(places.modelsDir);
  const names = new Set([...catalogue.map((entry) => entry.id), ...pulled.keys()]);
  const listed = await Promise.all(
    [...names].map((name) => describeListed(name, findEntry(catalogue, name), pulled, places)),
  );
  return listed.sort((a, b) => Number(b.atHand) - Number(a.atHand) || (a.name < b.name ? -1 : 1));
}

async function describeListed(
  name: string,
  entry: CatalogueEntry | undefined,
  pulled: ReadonlyMap<string, LockedModel>,
  places: ModelPlaces,
): Promise<ListedModel> {
  const base = { name, aliases: entry?.aliases ?? [], ...(entry === undefined ? {} : { entry }) };
  const locked = pulled.get(name);
  const path = pathOf(name, entry, locked, places);
  if (path === undefined || !(await isFolder(path))) {
    return { ...base, atHand: false, precisions: [] };
  }
  const revision = locked === undefined ? {} : { revision: shortRevision(locked.revision) };
  try {
    const folder = await inspectModelFolder(path);
    return { ...base, ...revision, atHand: true, precisions: precisionsOf(folder.files) };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { ...base, ...revision, atHand: false, precisions: [], problem };
  }
}

function precisionsOf(files: readonly ModelFile[]): Precision[] {
  return [...new Set(files.map((file) => file.precision))];
}

async function locate(nameOrDir: string, places: ModelPlaces): Promise<Location> {
  if (looksLikePath(nameOrDir)) return folderLocation(nameOrDir);
  const catalogue = await loadCatalogue(places.packageRoot);
  const entry = findEntry(catalogue, nameOrDir);
  const pulled = await pulledModels(places.modelsDir);
  const name = entry?.id ?? keyIgnoringCase(pulled, nameOrDir) ?? nameOrDir;
  const locked = pulled.get(name);
  const path = pathOf(name, entry, locked, places);
  if (path !== undefined && (await isFolder(path))) {
    return {
      name,
      path,
      ...(entry === undefined ? {} : { entry }),
      ...(locked === undefined ? {} : { locked }),
    };
  }
  if (await isFolder(resolve(nameOrDir))) return folderLocation(nameOrDir);
  throw await notFound(nameOrDir, entry, places);
}

/** Whether a model is named by its folder. */
export function looksLikePath(nameOrDir: string): boolean {
  return isAbsolute(nameOrDir) || /^\.\.?([/\\]|$)/.test(nameOrDir) || nameOrDir.endsWith(sep);
}

function folderLocation(dir: string): Location {
  const path = resolve(dir);
  return { name: path.split(sep).at(-1) ?? path, path };
}

function pathOf(
  name: string,
  entry: CatalogueEntry | undefined,
  locked: LockedModel | undefined,
  places: ModelPlaces,
): string | undefined {
  if (entry?.source.kind === "package") {
    return join(places.packageRoot, "models", entry.source.folder);
  }
  if (locked === undefined || places.modelsDir === undefined) return undefined;
  return pulledModelFolder(places.modelsDir, name, locked.revision);
}

async function pulledModels(modelsDir: string | undefined): Promise<Map<string, LockedModel>> {
  if (modelsDir === undefined) return new Map();
  return new Map(Object.entries((await readLock(lockFilePath(modelsDir))).models));
}

function keyIgnoringCase(map: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return [...map.keys()].find((key) => key.toLowerCase() === wanted);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    // A folder that may not be looked at is there: reading it says so with the remedy.
    return errnoOf(error) === "EACCES";
  }
}

function checkAgainstLock(location: Location, locked: LockedModel, digest: ModelDigest): void {
  if (locked.files[SETTINGS_FILE] !== undefined && !digest.parts.has(SETTINGS_FILE)) {
    throw new RankmillError(
      "model_unusable",
      `${join(location.path, SETTINGS_FILE)} was pulled and is gone, and without it the model gives other scores: run "rankmill models pull ${location.name}"`,
    );
  }
  for (const [part, sha256] of digest.parts) {
    const pinned = locked.files[part]?.sha256;
    if (pinned === undefined || pinned === sha256) continue;
    throw new RankmillError(
      "model_unusable",
      `${join(location.path, part)} is not the file that was pulled (sha256 ${shortRevision(sha256)}…, pinned ${shortRevision(pinned)}…): delete it and run "rankmill models pull ${location.name}"`,
    );
  }
}

function maxLengthOf(
  folder: ModelFolder,
  entry: CatalogueEntry | undefined,
): { default: number; highest: number } {
  if (entry === undefined) {
    return { default: folder.defaultMaxLength, highest: folder.maxPositions };
  }
  // The positions have the last word: an export must not be asked for what it lacks. The
  // tokenizer's advice has not: it is often the length of training, and the entry was reviewed.
  const highest = Math.min(entry.maxLength.highest, folder.positions ?? Number.POSITIVE_INFINITY);
  return { default: Math.min(entry.maxLength.default, highest), highest };
}

async function notFound(
  nameOrDir: string,
  entry: CatalogueEntry | undefined,
  places: ModelPlaces,
): Promise<RankmillError> {
  const listed = await listModels(places);
  const atHand = listed.filter((model) => model.atHand).map((model) => model.name);
  const hand = `at hand: ${atHand.length === 0 ? "none" : atHand.join(", ")}`;
  if (entry?.source.kind === "hub") {
    return new RankmillError(
      "model_not_found",
      `model ${entry.id} is not on this machine: run "rankmill models pull ${entry.aliases[0] ?? entry.id}" (${hand})`,
    );
  }
  if (entry?.source.kind === "export") {
    return new RankmillError(
      "model_not_found",
      `model ${entry.id} must be exported first (${entry.source.reason}): run "${exportCommand(entry) ?? ""}" as models/export/README.md says, then give the folder (${hand})`,
    );
  }
  if (entry?.source.kind === "none") {
    throw new RankmillError("model_unusable", whyNever(entry.id, entry.source));
  }
  if (entry !== undefined) {
    return new RankmillError(
      "model_not_found",
      `model ${entry.id} ships with rankmill but its folder is missing: install the package again (${hand})`,
    );
  }
  const known = listed.map(shortName);
  const guess = didYouMean(nameOrDir, known) ?? wayToAnotherModel(nameOrDir);
  return new RankmillError(
    "model_not_found",
    `no model or folder is named "${nameOrDir}": ${guess} ("rankmill models list" shows all)`,
  );
}

function wayToAnotherModel(nameOrDir: string): string {
  return HUB_ID.test(nameOrDir)
    ? `if it is on the hub, run "rankmill models pull ${nameOrDir}"`
    : `any other model needs its folder, or its hub id in "rankmill models pull"`;
}
