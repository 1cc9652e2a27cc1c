/** One model for what somebody needs, out of the catalogue's published figures. */
import type { CatalogueEntry } from "../core/catalogue.js";
import type { Precision } from "../core/precision.js";
import { computeOf, isCommercial, qualityOf, reads, USUAL_BENCHMARK } from "./filter-models.js";

export const USES = ["online", "bulk"] as const;

export interface Needs {
  /** ISO 639 code; `mul` for several. */
  readonly language: string;
  readonly device: "cpu" | "gpu";
  /** `online`: somebody waits for each answer. `bulk`: the whole is to be done soon. */
  readonly use: (typeof USES)[number];
  readonly commercial: boolean;
}

export interface Recommendation {
  readonly entry: CatalogueEntry;
  readonly precision: Precision;
  /** Work per token beside bge-reranker-v2-m3's. */
  readonly compute: number;
  /** The figure that decided, if any model within reach has one. */
  readonly figure?: { readonly benchmark: string; readonly value: number };
  /** The best that can be pulled as it is, if the recommended one must be exported first. */
  readonly withoutExport?: CatalogueEntry;
  /** A language model that does more work and has no better figure. */
  readonly slowerDecoder?: CatalogueEntry;
  /** Models for this language, which the benchmark has no figures of. */
  readonly specialists: readonly CatalogueEntry[];
  /** False if no entry of the catalogue names the language: models of many languages may read it or not. */
  readonly isNamed: boolean;
}

/** The most work per token, as a multiple of bge-reranker-v2-m3's. */
const MOST_COMPUTE = {
  cpu: { online: 0.1, bulk: 0.5 },
  gpu: { online: 1.5, bulk: 5 },
} as const;

/** The benchmark that has figures for a language. */
const BENCHMARK_OF: ReadonlyMap<string, string> = new Map([
  ["en", USUAL_BENCHMARK],
  ["zh", "CMTEB-R"],
]);
const OTHER_LANGUAGES = "MMTEB-R";

/** @returns undefined if no model reads the language under that licence */
export function recommend(
  catalogue: readonly CatalogueEntry[],
  needs: Needs,
): Recommendation | undefined {
  const benchmark = BENCHMARK_OF.get(needs.language) ?? OTHER_LANGUAGES;
  const fitting = catalogue.flatMap((entry) => candidateOf(entry, needs, benchmark) ?? []);
  const most = MOST_COMPUTE[needs.device][needs.use];
  const within = fitting.filter(({ compute }) => compute <= most);
  const [best] = [...within.sort(better), ...fitting.sort(byCompute)];
  if (best === undefined) return undefined;
  const pulled = within.find(({ entry }) => entry.source.kind === "hub");
  const slower = fitting.filter((one) => isSlowerDecoder(one, best)).sort(better);
  const { entry, precision, compute, value } = best;
  return {
    entry,
    precision,
    compute,
    ...(value === undefined ? {} : { figure: { benchmark, value } }),
    ...(entry.source.kind === "export" && pulled !== undefined
      ? { withoutExport: pulled.entry }
      : {}),
    ...(slower[0] === undefined ? {} : { slowerDecoder: slower[0].entry }),
    specialists: catalogue.filter(
      (one) =>
        one !== best.entry &&
        isFor(one, needs.language) &&
        isAllowed(one, needs) &&
        qualityOf(one, benchmark) === undefined,
    ),
    isNamed: catalogue.some(({ languages }) => languages.includes(needs.language)),
  };
}

interface Candidate {
  readonly entry: CatalogueEntry;
  readonly precision: Precision;
  readonly compute: number;
  readonly value: number | undefined;
}

function candidateOf(
  entry: CatalogueEntry,
  needs: Needs,
  benchmark: string,
): Candidate | undefined {
  const precision = entry.choice[needs.device];
  const compute = computeOf(entry);
  if (precision === null || compute === undefined) return undefined;
  if (!isAllowed(entry, needs) || !reads(entry, needs.language)) return undefined;
  return { entry, precision, compute, value: qualityOf(entry, benchmark) };
}

/** True if the model can be run on the device, under its licence. */
function isAllowed(entry: CatalogueEntry, { device, commercial }: Needs): boolean {
  const { kind } = entry.source;
  if (kind === "none" || kind === "package" || entry.choice[device] === null) return false;
  return !commercial || isCommercial(entry);
}

/** Better figures first, then less work. A model without a figure comes after all that have one. */
function better(a: Candidate, b: Candidate): number {
  return (b.value ?? -Infinity) - (a.value ?? -Infinity) || byCompute(a, b);
}

function byCompute(a: Candidate, b: Candidate): number {
  return a.compute - b.compute;
}

function isSlowerDecoder(one: Candidate, best: Candidate): boolean {
  if (one.entry.prompt === null || one.value === undefined || best.value === undefined)
    return false;
  return one.compute > best.compute && one.value <= best.value;
}

function isFor({ languages }: CatalogueEntry, language: string): boolean {
  return language !== "en" && language !== "zh" && languages.includes(language);
}
