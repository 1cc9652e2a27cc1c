import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { loadCatalogue } from "../../../src/models/catalogue-files.js";
import { computeOf, filterModels, type ModelFilter } from "../../../src/models/filter-models.js";
import { recommend, type Needs } from "../../../src/models/recommend.js";
import { listModels } from "../../../src/models/resolve.js";

const ROOT = resolve(import.meta.dirname, "../../..");
const catalogue = await loadCatalogue(ROOT);
const listed = await listModels({ packageRoot: ROOT });

const filtered = (filter: ModelFilter) =>
  filterModels(listed, filter).flatMap(({ entry }) => entry ?? []);
const USUAL: Needs = { language: "en", device: "cpu", use: "bulk", commercial: true };
const recommended = (needs: Partial<Needs>) => recommend(catalogue, { ...USUAL, ...needs });

describe("the list of models", () => {
  it("holds all without a filter, and those that pass each of several", () => {
    expect(filterModels(listed, {})).toEqual(listed);
    const found = filtered({
      language: "DE",
      licence: "commercial",
      minLength: 4096,
      maxSize: 600,
    });
    expect(found.map(({ id }) => id)).toEqual(expect.arrayContaining(["BAAI/bge-reranker-v2-m3"]));
    for (const { languages, licence, maxLength, parameters } of found) {
      expect(languages.some((language) => ["de", "mul"].includes(language))).toBe(true);
      expect(licence.nonCommercial).toBe(false);
      expect(maxLength.highest).toBeGreaterThanOrEqual(4096);
      expect(parameters).toBeLessThanOrEqual(600);
    }
  });

  it("finds licences by a part of their name, and takes unchecked ones for none", () => {
    const names = new Set(filtered({ licence: "cc-by" }).map(({ licence }) => licence.name));
    expect([...names].every((name) => name.includes("CC-BY"))).toBe(true);
    const free = filtered({ licence: "commercial" }).map(({ licence }) => licence.name);
    expect(free).not.toContain("NOASSERTION");
  });

  it.each(["size", "compute"] as const)("may begin with the least by %s", (sort) => {
    const keys = filtered({ sort }).map(
      (entry) => (sort === "size" ? entry.parameters : computeOf(entry)) ?? Infinity,
    );
    expect(keys).toEqual(keys.toSorted((a, b) => a - b));
  });

  it("may begin with the longest, with the best, or by name", () => {
    const lengths = filtered({ sort: "length" }).map(({ maxLength }) => maxLength.highest);
    expect(lengths).toEqual(lengths.toSorted((a, b) => b - a));
    expect(filtered({ sort: "quality" })[0]?.id).toBe("Qwen/Qwen3-Reranker-4B");
    const names = filtered({ sort: "name" }).map(({ id }) => id.replace(/^.*\//, "").toLowerCase());
    expect(names).toEqual(names.toSorted());
  });
});

describe("the recommended model", () => {
  it("is the best within the work that device and use allow", () => {
    expect(recommended({})?.entry.id).toBe("cross-encoder/ettin-reranker-150m-v1");
    expect(recommended({ use: "online" })?.entry.id).toBe("cross-encoder/ettin-reranker-32m-v1");
    expect(recommended({ device: "gpu", use: "online" })?.entry.id).toMatch(/ettin-reranker-400m/);
    expect(recommended({ language: "de" })?.entry.id).toMatch(/gte-multilingual-reranker-base/);
    expect(recommended({ language: "de", device: "gpu" })?.entry.id).toMatch(
      /Qwen3-Reranker-0\.6B/,
    );
    expect(recommended({ language: "zh", device: "gpu" })?.entry.id).toMatch(/gte-multilingual/);
  });

  it("never breaks a licence, and has a precision for the device", () => {
    for (const language of ["en", "de", "zh", "ja", "pl", "mul"]) {
      for (const device of ["cpu", "gpu"] as const) {
        for (const use of ["online", "bulk"] as const) {
          const found = recommended({ language, device, use });
          expect(found?.entry.licence.nonCommercial).toBe(false);
          expect(found?.precision).toBe(found?.entry.choice[device]);
        }
      }
    }
  });

  it("comes with a model that needs no export, and with the language model that is slower and no better", () => {
    const found = recommended({ device: "gpu", use: "online" });
    expect(found?.withoutExport?.source.kind).toBe("hub");
    expect(found?.slowerDecoder?.id).toBe("Qwen/Qwen3-Reranker-0.6B");
    // A model of unknown size is named as well, and one of unchecked licence only where any licence will do.
    const polish = recommended({ language: "pl", device: "gpu", commercial: false });
    expect(polish?.specialists.map(({ id }) => id)).toContain(
      "sdadas/polish-reranker-large-ranknet",
    );
    expect(recommended({ language: "pl" })).toMatchObject({ specialists: [], isNamed: true });
    expect(recommended({ language: "sw" })).toMatchObject({ specialists: [], isNamed: false });
    expect(recommended({ language: "ja" })?.specialists.map(({ id }) => id)).toContain(
      "cl-nagoya/ruri-v3-reranker-310m",
    );
  });

  it("is none if no model reads the language", () => {
    const english = catalogue.filter(({ languages }) => languages.join() === "en");
    expect(recommend(english, { ...USUAL, language: "de" })).toBeUndefined();
  });
});
