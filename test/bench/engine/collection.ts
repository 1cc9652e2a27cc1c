import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TEST_DATA } from "../support/places.js";

/** A query with its candidates, best first by BM25. */
export interface Candidates {
  readonly query: string;
  readonly documents: readonly string[];
}

const FOLDER = join(TEST_DATA, "collections/scifact");

/** The missing part, or undefined. */
export function missingCollection(): string | undefined {
  return existsSync(join(FOLDER, "bm25.trec"))
    ? undefined
    : `${FOLDER} is absent: set RANKMILL_TEST_DATA to the folder of the test data`;
}

/** All queries of the SciFact collection, in the order of the run. */
export function readCollection(): Candidates[] {
  const documents = new Map(
    jsonLines<{ _id: string; title: string; text: string }>("corpus.jsonl").map(
      ({ _id: id, title, text }) => [id, `${title} ${text}`],
    ),
  );
  const queries = new Map(
    jsonLines<{ _id: string; text: string }>("queries.jsonl").map(({ _id: id, text }) => [
      id,
      text,
    ]),
  );
  const ranked = new Map<string, string[]>();
  for (const line of lines("bm25.trec")) {
    const [query = "", , document = ""] = line.split(/\s+/);
    const text = documents.get(document);
    if (text === undefined) continue;
    const list = ranked.get(query) ?? [];
    list.push(text);
    ranked.set(query, list);
  }
  return [...ranked].map(([id, texts]) => ({ query: queries.get(id) ?? "", documents: texts }));
}

function lines(name: string): string[] {
  return readFileSync(join(FOLDER, name), "utf8")
    .split("\n")
    .filter((line) => line !== "");
}

function jsonLines<T>(name: string): T[] {
  return lines(name).map((line) => JSON.parse(line) as T);
}
