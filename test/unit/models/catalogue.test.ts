import { existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { catalogueEntrySchema, findEntry } from "../../../src/core/catalogue.js";
import { PRECISIONS } from "../../../src/core/precision.js";
import { loadCatalogue } from "../../../src/models/catalogue-files.js";
import { promptNames } from "../../../src/models/known-prompts.js";
import { classifyOnnxName } from "../../../src/models/onnx/onnx-names.js";
import { DATA, given, testData } from "../../support/needs.js";

const ROOT = resolve(import.meta.dirname, "../../..");
const SCORES = join(DATA, "golden/scores.json");

const entries = await loadCatalogue(ROOT);

describe("the catalogue", () => {
  it("has the models that people use", () => {
    const names = [
      "ms-marco-TinyBERT-L2-v2",
      "ms-marco-MiniLM-L6-v2",
      "ms-marco-MiniLM-L12-v2",
      "mmarco-mMiniLMv2-L12-H384-v1",
      "bge-reranker-base",
      "bge-reranker-large",
      "BAAI/bge-reranker-v2-m3",
      "bge-reranker-v2-m3",
      "mxbai-rerank-xsmall-v1",
      "mxbai-rerank-base-v1",
      "jina-reranker-v1-tiny-en",
      "jina-reranker-v2-base-multilingual",
      "gte-reranker-modernbert-base",
      "gte-multilingual-reranker-base",
      "ettin-reranker-17m-v1",
      "ettin-reranker-150m-v1",
      "ettin-reranker-1b-v1",
      "granite-embedding-reranker-english-r2",
      "mxbai-rerank-large-v1",
      "ms-marco-MiniLM-L2-v2",
      "ms-marco-MiniLM-L4-v2",
      "ms-marco-electra-base",
      "jina-reranker-v1-turbo-en",
      "bce-reranker-base_v1",
      "ruri-v3-reranker-310m",
      "Qwen3-Reranker-0.6B",
      "Qwen3-Reranker-4B",
      "Qwen3-Reranker-8B",
      "mxbai-rerank-base-v2",
      "mxbai-rerank-large-v2",
      "zerank-1-small",
      "zerank-2",
      "ctxl-rerank-v2-1b",
      "llama-nemotron-rerank-1b-v2",
      "bge-reranker-v2-gemma",
      "builtin-bm25",
      "builtin",
    ];
    expect(names.filter((name) => findEntry(entries, name) === undefined)).toEqual([]);
  });

  it("gives each name to one model only, whatever its case", () => {
    const names = entries.flatMap((entry) => [entry.id, ...entry.aliases]);
    const lower = names.map((name) => name.toLowerCase());
    expect(new Set(lower).size).toBe(lower.length);
    expect(findEntry(entries, "BGE-Reranker-V2-M3")?.id).toBe("BAAI/bge-reranker-v2-m3");
    expect(findEntry(entries, "no-such-model")).toBeUndefined();
  });

  it("knows the lengths of v2-m3 and of the older models", () => {
    expect(findEntry(entries, "bge-reranker-v2-m3")?.maxLength).toEqual({
      default: 1024,
      highest: 8192,
    });
    expect(findEntry(entries, "bge-reranker-base")?.maxLength).toEqual({
      default: 512,
      highest: 512,
    });
  });

  it("marks those that are not for commercial use, and says what each licence allows", () => {
    const restricted = entries.filter((entry) => entry.licence.nonCommercial);
    expect(restricted.map((entry) => entry.id)).toEqual(
      expect.arrayContaining(["jinaai/jina-reranker-v2-base-multilingual", "zeroentropy/zerank-2"]),
    );
    expect(entries.filter((entry) => /-NC-/.test(entry.licence.name))).toEqual(restricted);
    const free = entries.filter(({ licence }) => licence.words.includes("commercial too"));
    expect([...new Set(free.map(({ licence }) => licence.name))].sort()).toEqual([
      "Apache-2.0",
      "MIT",
    ]);
  });

  it("has rows for all rerankers that give one score per pair, and an answer for the others", () => {
    const kinds = entries.map(({ source }) => source.kind);
    expect(kinds.filter((kind) => kind === "hub").length).toBeGreaterThanOrEqual(17);
    expect(kinds.filter((kind) => kind === "export").length).toBeGreaterThanOrEqual(25);
    const others = [
      "bge-reranker-v2-minicpm-layerwise",
      "LightOn-rerank-PW-0.8B",
      "KaLM-Reranker-V1-Nano",
      "Querit-4B",
      "jina-reranker-v3",
      "jina-reranker-m0",
      "Qwen3-VL-Reranker-8B",
      "llama-nemotron-rerank-vl-1b-v2",
      "answerai-colbert-small-v1",
      "monot5-base-msmarco",
      "rank_zephyr_7b_v1_full",
      "ListConRanker",
    ];
    for (const name of others) expect(findEntry(entries, name)?.source.kind, name).toBe("none");
    for (const { source } of entries) {
      if (source.kind !== "none") continue;
      const instead = findEntry(entries, source.instead)?.source.kind;
      expect(["hub", "export"]).toContain(instead);
    }
  });

  it("names prompts that there are, and the same in the command that exports", async () => {
    const prompts = await promptNames();
    for (const { id, prompt, source } of entries) {
      expect([...prompts, null], id).toContain(prompt);
      const named =
        source.kind === "export" ? /--prompt (\S+)/.exec(source.options)?.[1] : undefined;
      expect(named ?? null, id).toBe(prompt);
    }
  });

  it("chooses a precision that the repository has", () => {
    for (const { id, source, choice } of entries) {
      if (source.kind !== "hub" || source.files === null) continue;
      for (const precision of [choice.cpu, choice.gpu]) {
        expect(Object.keys(source.files), id).toContain(precision);
      }
    }
  });

  it.each(entries.map((entry) => [entry.id, entry] as const))("%s is in order", (id, entry) => {
    expect(existsSync(join(ROOT, "models/catalogue", `${basename(id)}.json`))).toBe(true);
    expect(entry.aliases).not.toContain(id);
    const impossible = entry.published.filter(
      (row) => row.activation === "sigmoid" && (row.score < 0 || row.score > 1),
    );
    expect(impossible).toEqual([]);
    expect(entry.published.filter((row) => row.tolerance > 0.1)).toEqual([]);
  });

  const hubEntries = entries.flatMap((entry) =>
    entry.source.kind === "hub" && entry.source.files !== null
      ? [[entry.id, entry, { ...entry.source, files: entry.source.files }] as const]
      : [],
  );

  it("leaves what nobody has seen to the first pull", () => {
    const unseen = entries.filter(({ source }) => source.kind === "hub" && source.files === null);
    expect(unseen.length).toBeGreaterThan(0);
    for (const { source } of unseen) {
      expect(source).toMatchObject({ revision: null, pinnedOnPull: true });
    }
  });

  it.each(hubEntries)("%s can be pulled and checked", (_id, entry, source) => {
    const common = source.common.map((file) => file.path);
    expect(common).toEqual(expect.arrayContaining(["config.json", "tokenizer.json"]));
    expect(entry.published.length).toBeGreaterThanOrEqual(2);
    expect(Object.keys(source.files)).toEqual(expect.arrayContaining(["fp32", "int8"]));
    // A file that is pulled as a precision must be found again as that precision.
    const mistaken = PRECISIONS.filter((precision) => {
      const [graph] = source.files[precision] ?? [];
      return graph !== undefined && classifyOnnxName(basename(graph.path))?.precision !== precision;
    });
    expect(mistaken).toEqual([]);
  });
});

describe("the schema of an entry", () => {
  const good = findEntry(entries, "bge-reranker-v2-m3");
  const changed = (source: object): boolean =>
    catalogueEntrySchema.safeParse({ ...good, source: { ...good?.source, ...source } }).success;

  it("takes a reviewed entry", () => {
    expect(changed({})).toBe(true);
    expect(changed({ revision: null, pinnedOnPull: true })).toBe(true);
  });

  it("refuses an unpinned revision that nobody will pin", () => {
    expect(changed({ revision: null })).toBe(false);
    expect(changed({ pinnedOnPull: true })).toBe(false);
    expect(changed({ revision: "main" })).toBe(false);
  });

  it("refuses a file outside the repository", () => {
    const paths = ["../x.onnx", "/etc/passwd", "onnx/../../x", "a\\b"];
    const taken = paths.filter((path) =>
      changed({ common: [{ path, sha256: null, bytes: null }] }),
    );
    expect(taken).toEqual([]);
  });

  it("refuses a hash of the wrong length, unknown fields and no ONNX at all", () => {
    expect(changed({ common: [{ path: "a", sha256: "12", bytes: 1 }] })).toBe(false);
    expect(changed({ mirror: "x" })).toBe(false);
    expect(changed({ files: {} })).toBe(false);
  });
});

describe("the published scores", given(testData("golden/scores.json")), () => {
  it("are the figures of the collection they were taken from", () => {
    const rows = JSON.parse(readFileSync(SCORES, "utf8")) as {
      query: string;
      passage: string;
      score: number;
      source: string;
    }[];
    const known = new Set(
      rows.map((row) => JSON.stringify([row.query, row.passage, row.score, row.source])),
    );
    const strangers = entries
      .flatMap((entry) => entry.published)
      .filter((row) => {
        const key = JSON.stringify([row.query, row.document, row.score, row.source]);
        return !known.has(key);
      });
    expect(strangers).toEqual([]);
  });

  it("stand beside the pair template that the model's own tokenizer has", () => {
    const templates = { bert: "ms-marco-MiniLM-L6-v2", xlmr: "bge-reranker-v2-m3" };
    for (const [folder, name] of Object.entries(templates)) {
      const text = readFileSync(join(DATA, "tokenizers", folder, "tokenizer.json"), "utf8");
      const separators = separatorsBetween(JSON.parse(text) as TokenizerFile);
      expect(findEntry(entries, name)?.pairTemplate).toBe(separators === 1 ? "cls-sep" : "roberta");
    }
  });
});

interface TokenizerFile {
  readonly post_processor: {
    readonly pair?: readonly (
      { readonly SpecialToken: unknown } | { readonly Sequence: { readonly id: "A" | "B" } }
    )[];
  };
}

function separatorsBetween(file: TokenizerFile): number {
  const pair = file.post_processor.pair ?? [];
  const at = (id: "A" | "B"): number =>
    pair.findIndex((piece) => "Sequence" in piece && piece.Sequence.id === id);
  return at("B") - at("A") - 1;
}
