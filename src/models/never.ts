import type { CatalogueEntry } from "../core/catalogue.js";

/** The answer to the name of a model that no graph can be made of. */
export function whyNever(
  id: string,
  { reason, instead }: Extract<CatalogueEntry["source"], { kind: "none" }>,
): string {
  return `${id} cannot be run: ${reason}. Use ${instead}`;
}
