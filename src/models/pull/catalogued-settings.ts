import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CatalogueEntry } from "../../core/catalogue.js";
import { errnoOf } from "../../platform/file-system-errors.js";
import { WholeFile } from "../../platform/whole-file.js";
import { hashFile } from "../digest.js";
import { SETTINGS_FILE } from "../model-settings.js";

/** The text of `rankmill.json` for a model whose prompt or head the catalogue knows. */
export function cataloguedSettings({ prompt, head }: CatalogueEntry): string | undefined {
  if (prompt === null && head === null) return undefined;
  const settings = { ...(prompt !== null && { prompt }), ...(head !== null && { head }) };
  return `${JSON.stringify(settings, null, 2)}\n`;
}

/** Writes it beside the model, unless a file lies there: that one was pulled before, or is the operator's. */
export async function placeSettings(
  folder: string,
  text: string,
): Promise<{ path: string; bytes: number; sha256: string; fetched: boolean }> {
  const path = join(folder, SETTINGS_FILE);
  const before = await readFile(path).catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  });
  if (before === undefined) await WholeFile.write(path, [text]);
  return {
    path: SETTINGS_FILE,
    bytes: before?.length ?? Buffer.byteLength(text),
    sha256: await hashFile(path),
    fetched: before === undefined,
  };
}
