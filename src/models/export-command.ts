import { basename } from "node:path";
import type { CatalogueEntry } from "../core/catalogue.js";

/** The command that makes a folder of a model whose repository has no graph that can be run. */
export function exportCommand({ id, source }: CatalogueEntry): string | undefined {
  if (source.kind !== "export") return undefined;
  const { repository, revision, options } = source;
  // Options of the exporter, which has names of its own.
  const given = Object.entries({ revision, output: `./${basename(id)}` });
  return [
    "python models/export/export.py",
    repository,
    ...given.flatMap(([name, value]) => (value === null ? [] : [`--${name} ${value}`])),
    ...(options === "" ? [] : [options]),
  ].join(" ");
}
