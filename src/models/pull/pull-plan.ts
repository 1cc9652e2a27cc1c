/** The files of a repository that a model needs, and what each must be. Decides; downloads nothing. */
import { posix } from "node:path";
import type { CatalogueEntry } from "../../core/catalogue.js";
import type { HubFile, HubSource } from "../../core/catalogue-source.js";
import type { Precision } from "../../core/precision.js";
import { RankmillError } from "../../core/errors.js";
import type { HubListedFile, HubListing } from "./hub-client.js";
import type { LockedModel } from "../lock-file.js";
import { cataloguedSettings } from "./catalogued-settings.js";
import { exportCommand } from "../export-command.js";
import { whyNever } from "../never.js";
import { classifyOnnxName, isDataOf } from "../onnx/onnx-names.js";
import { option, wording } from "../../core/wording.js";

/** Files of a model that is not in the catalogue; the first two are required. */
const NEEDED_FILES = ["config.json", "tokenizer.json"] as const;
const WELCOME_FILES = ["tokenizer_config.json"] as const;
/** Files that say how a model is asked and read. They come before config.json, which is checked with them. */
const SETTINGS_FILES = [
  "rankmill.json",
  "modules.json",
  "config_sentence_transformers.json",
  "chat_template.jinja",
] as const;

export interface WantedFile {
  readonly path: string;
  readonly bytes: number | undefined;
  /** One of the two if anything is known of the contents. */
  readonly sha256: string | undefined;
  readonly gitBlobId: string | undefined;
}

export interface PullSource {
  readonly id: string;
  readonly repository: string;
  /** Absent for a repository that is not in the catalogue. */
  readonly catalogued: HubSource | undefined;
  /** Text of the `rankmill.json` that the catalogue has for the model. */
  readonly settings?: string | undefined;
}

/**
 * @throws RankmillError `invalid_option` if the model is not pulled at all, or its licence must be accepted
 *   first
 */
export function pullSource(model: CatalogueEntry | string, acceptLicence: boolean): PullSource {
  if (typeof model === "string") {
    if (/^[\w.-]+\/[\w.-]+$/.test(model)) {
      return { id: model, repository: model, catalogued: undefined };
    }
    throw new RankmillError(
      "invalid_option",
      `"${model}" is neither a model of the catalogue nor a hub id of the form owner/name`,
    );
  }
  const { source, id, licence } = model;
  if (source.kind === "package") {
    throw new RankmillError(
      "invalid_option",
      `${id} ships with rankmill: there is nothing to pull`,
    );
  }
  if (source.kind === "none") throw new RankmillError("invalid_option", whyNever(id, source));
  if (source.kind === "export") {
    throw new RankmillError(
      "invalid_option",
      `${id} cannot be pulled (${source.reason}): export it once with "${exportCommand(model) ?? ""}" (models/export/README.md) and give the folder`,
    );
  }
  if (licence.nonCommercial && !acceptLicence) {
    throw new RankmillError(
      "access_denied",
      wording`${id} is under ${licence.name} (${licence.words}${licence.url === null ? "" : `; ${licence.url}`}): read it and pull again with ${option("acceptLicence")}`,
    );
  }
  const settings = cataloguedSettings(model);
  return { id, repository: source.repository, catalogued: source, settings };
}

/** True if the plan cannot be made, or not be checked, without asking the hub. */
export function needsListing(
  source: PullSource,
  precision: Precision,
  commit: string,
  locked: LockedModel | undefined,
): boolean {
  const known = cataloguedFiles(source, precision);
  if (known === undefined) return true;
  return known.some((file) => knownHash(source, file, commit, locked) === undefined);
}

/**
 * @param listing may be undefined if {@link needsListing} is false
 * @throws RankmillError `model_not_found` if the repository lacks what a reranker needs;
 *   `download_failed` if the hub has other contents than the lock file or the catalogue
 */
export function planFiles(
  source: PullSource,
  precision: Precision,
  commit: string,
  locked: LockedModel | undefined,
  listing: HubListing | undefined,
): WantedFile[] {
  const listed = new Map(listing?.files.map((file) => [file.path, file]));
  const paths =
    cataloguedFiles(source, precision)?.map((file) => file.path) ??
    discoveredFiles(source, precision, listing);
  const graph = paths.find((path) => path.endsWith(".onnx"));
  const data = graph === undefined ? [] : dataOf(graph, [...listed.keys()]);
  const all = [...new Set([...paths, ...data])];
  return all.map((path) => wantedFile(source, path, commit, locked, listed));
}

function wantedFile(
  source: PullSource,
  path: string,
  commit: string,
  locked: LockedModel | undefined,
  listed: ReadonlyMap<string, HubListedFile>,
): WantedFile {
  const onHub = listed.get(path);
  if (listed.size > 0 && onHub === undefined) {
    throw new RankmillError(
      "model_not_found",
      wording`repository ${source.repository} has no file ${path} at revision ${commit}: check ${option("revision")} and ${option("precision")}`,
    );
  }
  const reviewed = reviewedFile(source, path, commit);
  const sha256 =
    knownHash(source, { path, sha256: reviewed?.sha256 ?? null }, commit, locked) ?? onHub?.sha256;
  if (sha256 !== undefined && onHub?.sha256 !== undefined && sha256 !== onHub.sha256) {
    const pinned = locked?.files[path] !== undefined;
    const remedy = pinned
      ? wording`do not use it before someone has found out why; ${option("repin")} takes what the hub has now`
      : "the repository was changed or the catalogue is wrong: report it, and do not use the file";
    throw new RankmillError(
      "download_failed",
      wording`${path} of ${source.repository} has sha256 ${onHub.sha256} on the hub, ${pinned ? "the lock file" : "the catalogue"} has ${sha256}: ${remedy}`,
    );
  }
  return {
    path,
    bytes: onHub?.bytes ?? locked?.files[path]?.bytes ?? reviewed?.bytes ?? undefined,
    sha256,
    gitBlobId: onHub?.gitBlobId,
  };
}

function knownHash(
  source: PullSource,
  file: Pick<HubFile, "path" | "sha256">,
  commit: string,
  locked: LockedModel | undefined,
): string | undefined {
  const pinned = locked?.revision === commit ? locked.files[file.path]?.sha256 : undefined;
  return pinned ?? reviewedFile(source, file.path, commit)?.sha256 ?? undefined;
}

/** The catalogue's size and hash of a file; none if another commit than the reviewed one is pulled. */
function reviewedFile(source: PullSource, path: string, commit: string): HubFile | undefined {
  const { catalogued } = source;
  if (catalogued === undefined) return undefined;
  if (catalogued.revision !== null && catalogued.revision !== commit) return undefined;
  const files = [...catalogued.common, ...Object.values(catalogued.files ?? {}).flat()];
  return files.find((file) => file.path === path);
}

function cataloguedFiles(source: PullSource, precision: Precision): HubFile[] | undefined {
  const weights = source.catalogued?.files?.[precision];
  return weights === undefined ? undefined : [...(source.catalogued?.common ?? []), ...weights];
}

function discoveredFiles(
  source: PullSource,
  precision: Precision,
  listing: HubListing | undefined,
): string[] {
  const paths = listing?.files.map((file) => file.path) ?? [];
  for (const needed of NEEDED_FILES) {
    if (!paths.includes(needed)) {
      throw new RankmillError(
        "model_not_found",
        `repository ${source.repository} has no ${needed}: choose one that holds the model in ONNX form with its tokenizer`,
      );
    }
  }
  return [
    ...SETTINGS_FILES.filter((path) => paths.includes(path)),
    ...NEEDED_FILES,
    ...WELCOME_FILES.filter((path) => paths.includes(path)),
    discoveredGraph(source.repository, precision, paths),
  ];
}

function discoveredGraph(
  repository: string,
  precision: Precision,
  paths: readonly string[],
): string {
  const graphs = paths
    .filter((path) => ["", "onnx"].includes(folderOf(path)))
    .flatMap((path) => {
      const kind = classifyOnnxName(posix.basename(path));
      return kind === undefined ? [] : [{ path, ...kind }];
    })
    .sort((a, b) => a.rank - b.rank);
  const chosen = graphs.find((graph) => graph.precision === precision);
  if (chosen !== undefined) return chosen.path;
  const present = [...new Set(graphs.map((graph) => graph.precision))];
  throw new RankmillError(
    "model_not_found",
    present.length === 0
      ? `repository ${repository} has no ONNX file: choose one that has, or export the model with models/export/`
      : wording`repository ${repository} has no ${precision} file, only ${present.join(", ")}: choose one of these with ${option("precision")}`,
  );
}

function dataOf(graph: string, paths: readonly string[]): string[] {
  return paths.filter(
    (path) =>
      folderOf(path) === folderOf(graph) && isDataOf(posix.basename(graph), posix.basename(path)),
  );
}

function folderOf(path: string): string {
  const folder = posix.dirname(path);
  return folder === "." ? "" : folder;
}
