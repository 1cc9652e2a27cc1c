import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { findEntry, type CatalogueEntry } from "../../../src/core/catalogue.js";
import { filePrecision, type Precision } from "../../../src/core/precision.js";
import { loadCatalogue } from "../../../src/models/catalogue-files.js";
import { HUB_ENDPOINT } from "../../../src/models/pull/hub-client.js";
import { packageRoot } from "../../../src/platform/package-root.js";
import { pullModel } from "../../../src/models/pull/pull.js";
import { modelsDir } from "../context.js";
import { env, print, say } from "../terminal.js";
import { DownloadProgress } from "../download-progress.js";
import { EXIT } from "../exit-codes.js";
import type { DownloadValues } from "../options/download.js";
import type { AskedModelValues } from "../options/model.js";
import { stopSignal } from "../stop-signal.js";

/** The files wanted, and the folder for them. */
type ModelFiles = Pick<AskedModelValues, "precision" | "modelsDir">;

/** `models pull`: fetches what is missing, and prints the folder. */
export async function pull(
  name: string,
  files: ModelFiles,
  download: DownloadValues,
): Promise<number> {
  // A service that pulls what workers are told to serve need not know which kind of name it is.
  if (isAbsolute(name)) {
    say(`${name} is a folder: nothing to pull`);
    return EXIT.ok;
  }
  const folder = await fetchModel(name, files, download);
  if (folder === undefined) say(`${name} is part of rankmill: nothing to pull`);
  else print(folder);
  return EXIT.ok;
}

/** @returns the model's folder; undefined if it comes with the package */
export async function fetchModel(
  name: string,
  files: ModelFiles,
  download: Partial<DownloadValues>,
  signal = stopSignal(),
): Promise<string | undefined> {
  const entry = findEntry(await loadCatalogue(packageRoot()), name);
  if (entry?.source.kind === "package") return undefined;
  let folder: string | undefined;
  for (const precision of precisionsOf(files.precision, entry)) {
    folder = await fetchFiles(entry ?? name, precision, files, download, signal);
  }
  return folder;
}

/** `auto` chooses between fp32 and what the catalogue names for CPUs. */
function precisionsOf(
  choice: AskedModelValues["precision"],
  entry: CatalogueEntry | undefined,
): readonly Precision[] {
  if (choice !== "auto") return [filePrecision(choice ?? "fp32")];
  const onCpus = entry?.choice.cpu ?? "fp32";
  return [...new Set<Precision>(["fp32", filePrecision(onCpus)])];
}

/** @returns the model's folder */
async function fetchFiles(
  model: CatalogueEntry | string,
  precision: Precision,
  files: ModelFiles,
  download: Partial<DownloadValues>,
  signal: AbortSignal,
): Promise<string> {
  const hubCache = env["HF_HOME"] ?? join(homedir(), ".cache", "huggingface");
  const display = new DownloadProgress(process.stderr);
  const pulled = await pullModel(model, {
    modelsDir: modelsDir(files.modelsDir),
    precision,
    endpoint: download.hubEndpoint ?? HUB_ENDPOINT,
    token: download.hubToken,
    revision: download.revision,
    acceptLicence: download.acceptLicence === true,
    repin: download.repin === true,
    offline: download.offline === true || env["HF_HUB_OFFLINE"] === "1",
    hubCacheDir: join(hubCache, "hub"),
    onProgress: ({ phase, path, bytes, totalBytes }) => {
      if (phase === "waiting") display.show("waiting: another process pulls the same model");
      else display.show(path, bytes, totalBytes);
    },
    signal,
  }).finally(() => display.stop());
  for (const file of pulled.files) {
    say(
      `${file.fetched ? "fetched " : "verified"} ${file.path} (${file.bytes} bytes, sha256 ${file.sha256.slice(0, 12)}…)`,
    );
  }
  return pulled.folder;
}
