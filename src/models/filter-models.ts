/** Which catalogued models are listed, and in which order. */
import type { CatalogueEntry } from "../core/catalogue.js";
import type { ListedModel } from "./resolve.js";

export const MODEL_ORDERS = ["name", "size", "length", "compute", "quality"] as const;
export type ModelOrder = (typeof MODEL_ORDERS)[number];

/** The benchmark with the most rerankers in the catalogue. */
export const USUAL_BENCHMARK = "MTEB English v2 retrieval";
/** Layers of bge-reranker-v2-m3, millions of weights: the measure of other models' work. */
const V2_M3_LAYER_PARAMETERS = 302;
/** Code of entries that read many languages. */
export const MANY_LANGUAGES = "mul";
/** A licence that nobody has checked. */
const UNCHECKED = "NOASSERTION";

export interface ModelFilter {
  /** Code of a language that the model must read. */
  readonly language?: string | undefined;
  /** `commercial`, or a part of a licence's name. */
  readonly licence?: string | undefined;
  /** Tokens of a pair, at least. */
  readonly minLength?: number | undefined;
  /** Millions of parameters, at most. */
  readonly maxSize?: number | undefined;
  readonly sort?: ModelOrder | undefined;
}

/** Work per token of a pair beside bge-reranker-v2-m3's: 0.5 is half of it. Undefined if it is not known. */
export function computeOf({ layerParameters }: CatalogueEntry): number | undefined {
  return layerParameters === null ? undefined : layerParameters / V2_M3_LAYER_PARAMETERS;
}

/** A model's published figure; undefined if the benchmark has none of it. */
export function qualityOf(
  { quality }: CatalogueEntry,
  benchmark = USUAL_BENCHMARK,
): number | undefined {
  return quality.find((figure) => figure.benchmark === benchmark)?.value;
}

export function reads({ languages }: CatalogueEntry, language: string): boolean {
  return languages.includes(language.toLowerCase()) || languages.includes(MANY_LANGUAGES);
}

/** True if the licence was checked, and allows commercial use. */
export function isCommercial({ licence }: CatalogueEntry): boolean {
  return !licence.nonCommercial && licence.name !== UNCHECKED;
}

/** The models that pass all of the filter, in its order; without one in the order they are in. */
export function filterModels(
  models: readonly ListedModel[],
  { sort, ...filter }: ModelFilter,
): ListedModel[] {
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  const passing = models.filter(({ entry }) =>
    entry === undefined ? !isFiltered : passes(entry, filter),
  );
  if (sort === undefined) return passing;
  return passing
    .map((model) => ({ model, key: keyOf(model, sort) }))
    .sort((a, b) => compare(a.key, b.key) || compare(a.model.name, b.model.name))
    .map(({ model }) => model);
}

function passes(entry: CatalogueEntry, filter: Omit<ModelFilter, "sort">): boolean {
  const { language, licence, minLength = 0, maxSize = Number.POSITIVE_INFINITY } = filter;
  return (
    (language === undefined || reads(entry, language)) &&
    (licence === undefined || hasLicence(entry, licence.toLowerCase())) &&
    entry.maxLength.highest >= minLength &&
    // A model of unknown size passes no limit on it.
    (maxSize === Number.POSITIVE_INFINITY || (entry.parameters ?? Infinity) <= maxSize)
  );
}

function hasLicence(entry: CatalogueEntry, wanted: string): boolean {
  if (wanted === "commercial") return isCommercial(entry);
  return entry.licence.name.toLowerCase().includes(wanted);
}

/** The smallest first, but the longest and the best; what is not known comes last. */
function keyOf({ name, entry }: ListedModel, sort: ModelOrder): number | string {
  if (sort === "name") return name.slice(name.indexOf("/") + 1).toLowerCase();
  if (entry === undefined) return Infinity;
  switch (sort) {
    case "size":
      return entry.parameters ?? Infinity;
    case "compute":
      return computeOf(entry) ?? Infinity;
    case "length":
      return -entry.maxLength.highest;
    case "quality":
      return -(qualityOf(entry) ?? -Infinity);
    default:
      return sort satisfies never;
  }
}

function compare(a: number | string, b: number | string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
