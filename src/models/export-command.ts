import { basename } from "node:path";
import type { CatalogueEntry } from "../core/catalogue.js";

/** The command that makes a folder of a model whose repository has no graph that can be run. */
export function exportCommand({ id, source }: CatalogueEntry): string | undefined {
  if (source.kind !== "export") return undefined;
  const revision = source.revision === null ? [] : [`--revision ${source.revision}`];
  const options = source.options === "" ? [] : [source.options];
  return [
    "python models/export/export.py",
    source.repository,
    ...revision,
    `--output ./${basename(id)}`,
    ...options,
  ].join(" ");
}
