import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { findEntry, type Precision } from "../../../src/core/catalogue.js";
import { loadCatalogue } from "../../../src/models/catalogue-files.js";
import { HUB_ENDPOINT } from "../../../src/models/pull/hub-client.js";
import { packageRoot } from "../../../src/platform/package-root.js";
import { pullModel } from "../../../src/models/pull/pull.js";
import { env, modelsDir, print, say } from "../context.js";
import { DownloadProgress } from "../download-progress.js";
import { EXIT } from "../exit-codes.js";
import type { Values } from "../option-values.js";
import { stopSignal } from "../stop-signal.js";

export const PULL_OPTION_NAMES = [
  "precision",
  "modelsDir",
  "revision",
  "acceptLicence",
  "repin",
  "offline",
  "hubEndpoint",
  "hubToken",
] as const;

type PullValues = Values<(typeof PULL_OPTION_NAMES)[number]>;

/** `models pull`: fetches what is missing, and prints the folder. */
export async function pull(name: string, values: PullValues): Promise<number> {
  // A service that pulls what workers are told to serve need not know which kind of name it is.
  if (isAbsolute(name)) {
    say(`${name} is a folder: nothing to pull`);
    return EXIT.ok;
  }
  const folder = await fetchModel(name, values);
  if (folder === undefined) say(`${name} is part of rankmill: nothing to pull`);
  else print(folder);
  return EXIT.ok;
}

/** @returns the model's folder; undefined where it comes with the package */
export async function fetchModel(
  name: string,
  values: Partial<PullValues>,
): Promise<string | undefined> {
  const entry = findEntry(await loadCatalogue(packageRoot()), name);
  if (entry?.source.kind === "package") return undefined;
  const hubCache = env["HF_HOME"] ?? join(homedir(), ".cache", "huggingface");
  const display = new DownloadProgress(process.stderr);
  const pulled = await pullModel(entry ?? name, {
    modelsDir: modelsDir(values.modelsDir),
    precision: (values.precision ?? "fp32") as Precision,
    endpoint: values.hubEndpoint ?? HUB_ENDPOINT,
    token: values.hubToken,
    revision: values.revision,
    acceptLicence: values.acceptLicence === true,
    repin: values.repin === true,
    offline: values.offline === true || env["HF_HUB_OFFLINE"] === "1",
    hubCacheDir: join(hubCache, "hub"),
    onProgress: ({ phase, path, bytes, totalBytes }) => {
      if (phase === "waiting") display.show("waiting: another process pulls the same model");
      else display.show(path, bytes, totalBytes);
    },
    signal: stopSignal(),
  }).finally(() => display.stop());
  for (const file of pulled.files) {
    say(
      `${file.fetched ? "fetched " : "verified"} ${file.path} (${file.bytes} bytes, sha256 ${file.sha256.slice(0, 12)}…)`,
    );
  }
  return pulled.folder;
}
