import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import type { Qrels } from "../../../src/core/evaluation.js";

const textSchema = z.looseObject({
  _id: z.string(),
  title: z.string().default(""),
  text: z.string(),
});

/** A query with its candidates. */
export interface Candidates {
  readonly query: string;
  readonly text: string;
  readonly documents: readonly { readonly id: string; readonly text: string }[];
}

/** Reads a judged collection and the best `depth` of its first stage. */
export async function readCandidates(
  folder: string,
  depth: number,
): Promise<{ candidates: Candidates[]; qrels: Qrels }> {
  const queries = await texts(join(folder, "queries.jsonl"));
  const corpus = await texts(join(folder, "corpus.jsonl"));
  const lists = new Map<string, string[]>();
  for (const line of (await readFile(join(folder, "bm25.trec"), "utf8")).trimEnd().split("\n")) {
    const [query = "", , document = ""] = line.split(" ");
    const list = lists.get(query) ?? [];
    if (list.length < depth) lists.set(query, [...list, document]);
  }
  const candidates = [...lists].map(([query, ids]) => ({
    query,
    text: queries.get(query) ?? "",
    documents: ids.map((id) => ({ id, text: corpus.get(id) ?? "" })),
  }));
  return { candidates, qrels: await judgements(join(folder, "qrels.tsv")) };
}

async function texts(path: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const { _id: id, title, text } = textSchema.parse(JSON.parse(line));
    found.set(id, `${title} ${text}`.trim());
  }
  return found;
}

async function judgements(path: string): Promise<Qrels> {
  const qrels = new Map<string, Map<string, number>>();
  for (const line of (await readFile(path, "utf8")).trimEnd().split("\n").slice(1)) {
    const [query = "", document = "", grade = ""] = line.split("\t");
    const known = qrels.get(query) ?? new Map<string, number>();
    qrels.set(query, known.set(document, Number(grade)));
  }
  return qrels;
}
