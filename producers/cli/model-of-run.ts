/** The model of a run: named by an option, or by the person at the terminal; fetched if that is wanted. */
import { formatBytes } from "../figures.js";
import { createInterface } from "node:readline/promises";
import { findEntry, type CatalogueEntry } from "../../src/core/catalogue.js";
import { RankmillError } from "../../src/core/errors.js";
import { loadCatalogue } from "../../src/models/catalogue-files.js";
import { packageRoot } from "../../src/platform/package-root.js";
import { fetchModel } from "./commands/models-pull.js";
import type { DownloadValues } from "./options/download.js";
import type { AskedModelValues } from "./options/model.js";
import { wrapped } from "./say-failure.js";
import { say } from "./terminal.js";

/** The models that are offered: a small one for English, a large one for all languages, and one that needs no download. */
const OFFERED = ["ms-marco-MiniLM-L6-v2", "bge-reranker-v2-m3", "builtin-bm25"] as const;

const INDENT = "     ";

/** True if somebody sits at a terminal who can be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks which model to use. @throws the signal's reason if it aborts first */
export async function askForModel(signal: AbortSignal): Promise<string> {
  const catalogue = await loadCatalogue(packageRoot());
  say("A run needs a model:");
  OFFERED.forEach((name, i) => {
    const entry = findEntry(catalogue, name);
    const size = entry === undefined ? undefined : bytesOf(entry);
    const fetched = size === undefined ? "here already" : `${formatBytes(size)} to fetch`;
    const { columns } = process.stderr;
    const about = wrapped(entry?.description ?? "", Math.max(0, columns - INDENT.length));
    say(`  ${i + 1}  ${name} (${fetched})`, ...about.map((line) => INDENT + line));
  });
  for (;;) {
    const answer = await askFor("Which one, by number or name? [1] ", signal);
    const name = answer === "" ? OFFERED[0] : (OFFERED[Number(answer) - 1] ?? answer);
    if (!/^\d+$/.test(name)) return name;
    say(`There is no number ${name}.`);
  }
}

/**
 * Finds a model by `find`. One that is not here is fetched if `pull` says so, or the person at the
 * terminal does.
 *
 * @throws RankmillError `model_not_found`, and what `find` and fetching give
 */
export async function findOrFetch<T>(
  model: string,
  find: () => Promise<T>,
  { pull, files, download, signal }: FetchOptions,
): Promise<T> {
  try {
    return await find();
  } catch (error) {
    const isMissing = error instanceof RankmillError && error.code === "model_not_found";
    if (!isMissing || !(pull || (canAsk() && (await agrees(model, signal))))) throw error;
  }
  await fetchModel(model, files, download, signal);
  return await find();
}

export interface FetchOptions {
  readonly pull: boolean;
  readonly files: Pick<AskedModelValues, "precision" | "modelsDir">;
  readonly download: Partial<DownloadValues>;
  readonly signal: AbortSignal;
}

/** Asks for a yes. A name that the catalogue does not know has the error that says so. */
async function agrees(model: string, signal: AbortSignal): Promise<boolean> {
  const entry = findEntry(await loadCatalogue(packageRoot()), model);
  if (entry?.source.kind !== "hub") return false;
  const size = bytesOf(entry);
  const told = size === undefined ? "" : ` (${formatBytes(size)})`;
  const answer = await askFor(`${model} is not here. Fetch it${told}? [y/N] `, signal);
  return /^y(es)?$/i.test(answer);
}

/** Bytes of the model in fp32; undefined if it comes with rankmill, or they are not known. */
function bytesOf({ source }: CatalogueEntry): number | undefined {
  if (source.kind !== "hub") return undefined;
  const files = [...source.common, ...(source.files?.fp32 ?? [])];
  const bytes = files.reduce((sum, file) => sum + (file.bytes ?? 0), 0);
  return bytes === 0 ? undefined : bytes;
}

/** Asks on the terminal. @throws the signal's reason if it aborts first */
export async function askFor(question: string, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // In a question Ctrl-C is a key; it means the same as anywhere else.
  lines.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    return (await lines.question(question, { signal })).trim();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    lines.close();
  }
}
