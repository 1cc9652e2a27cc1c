import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { catalogueEntrySchema } from "../core/catalogue.js";
import type { CatalogueEntry } from "../core/catalogue.js";
import { RankmillError } from "../core/errors.js";
import { asModelReadError } from "../platform/file-system-errors.js";

/**
 * Every entry under `models/catalogue/` of the package, by file name.
 * @throws RankmillError `model_unusable` that names the entry and the field at fault
 */
export async function loadCatalogue(packageRoot: string): Promise<CatalogueEntry[]> {
  const folder = join(packageRoot, "models", "catalogue");
  let names: string[];
  try {
    names = (await readdir(folder)).filter((name) => name.endsWith(".json")).sort();
  } catch (error) {
    throw asModelReadError(error, folder);
  }
  const entries: CatalogueEntry[] = [];
  // One after another: together they would take as many open files as there are entries.
  for (const name of names) entries.push(await readEntry(join(folder, name)));
  return entries;
}

async function readEntry(path: string): Promise<CatalogueEntry> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw asModelReadError(error, path);
    throw new RankmillError("model_unusable", `catalogue entry ${path} is not JSON`, {
      cause: error,
    });
  }
  const parsed = catalogueEntrySchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new RankmillError(
    "model_unusable",
    `catalogue entry ${path} is wrong at ${issue?.path.join(".") ?? "its root"}: ${issue?.message ?? "unknown fault"}`,
  );
}
