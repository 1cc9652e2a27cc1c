import { stat } from "node:fs/promises";
import { join } from "node:path";
import { RankmillError } from "../../core/errors.js";
import type { CorpusFormat } from "./corpus-document.js";
import type { QueriesFormat } from "../read/tsv.js";

/** The places of a collection's parts, and their form. */
export interface CollectionFiles {
  readonly corpus: { readonly path: string; readonly format: CorpusFormat };
  readonly queries: { readonly path: string; readonly format: QueriesFormat };
  /** Undefined if the folder holds none and none was asked for. */
  readonly qrelsPath: string | undefined;
}

const COMPRESSED = ["", ".gz", ".zst"];
const CORPUS_NAMES = ["corpus.jsonl", "collection.tsv"];
const QUERIES_NAMES = ["queries.jsonl", "queries.tsv"];

/**
 * Finds the parts of a collection in a folder: BEIR's `corpus.jsonl`, `queries.jsonl` and
 * `qrels/{split}.tsv` (or `qrels.tsv` beside them), or MS MARCO's `collection.tsv` and
 * `queries.tsv`; each also compressed, as `.gz` or `.zst`.
 *
 * @param options.split names the qrels; without it `qrels.tsv` is taken, else `qrels/test.tsv`, if there
 * @throws RankmillError `input_unusable` that names the folder and what it lacks
 */
export async function findCollection(
  folder: string,
  options: { readonly split?: string | undefined } = {},
): Promise<CollectionFiles> {
  const corpus = await firstOf(folder, CORPUS_NAMES);
  const queries = await firstOf(folder, QUERIES_NAMES);
  if (corpus === undefined || queries === undefined) {
    const lacks = corpus === undefined ? CORPUS_NAMES : QUERIES_NAMES;
    throw new RankmillError("input_unusable", `${folder} has no ${lacks.join(" and no ")}`);
  }
  return {
    corpus: { path: corpus, format: formatOf(corpus) },
    queries: { path: queries, format: formatOf(queries) },
    qrelsPath: await findQrels(folder, options.split),
  };
}

/** `tsv` for a name that says so, compressed or not; `jsonl` for every other. */
export function formatOf(path: string): CorpusFormat & QueriesFormat {
  return /\.tsv(\.gz|\.zst)?$/i.test(path) ? "tsv" : "jsonl";
}

async function findQrels(folder: string, split: string | undefined): Promise<string | undefined> {
  const inFolder = `qrels/${split ?? "test"}.tsv`;
  const names = split === undefined ? ["qrels.tsv", inFolder] : [inFolder, `qrels.${split}.tsv`];
  const path = await firstOf(folder, names);
  if (path !== undefined || split === undefined) return path;
  // A folder without splits has one set of judgements; it is the test set by BEIR's convention.
  const only = split === "test" ? await firstOf(folder, ["qrels.tsv"]) : undefined;
  if (only !== undefined) return only;
  throw new RankmillError(
    "input_unusable",
    `${folder} has no ${names.join(" and no ")} for split "${split}"`,
  );
}

async function firstOf(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    for (const ending of COMPRESSED) {
      const path = join(folder, name + ending);
      const stats = await stat(path).catch(() => undefined);
      if (stats?.isFile() === true) return path;
    }
  }
  return undefined;
}
