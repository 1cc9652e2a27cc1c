/** The tables of docs/quality.md hold the figures of the catalogue, all of them and no others. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { loadCatalogue } from "../../../src/models/catalogue-files.js";

const ROOT = resolve(import.meta.dirname, "../../..");
const catalogue = await loadCatalogue(ROOT);

/** Rows of the page with figures: the first cell is a model, the others are its figures. */
function figuresOfPage(): Map<string, Set<string>> {
  const text = readFileSync(join(ROOT, "docs/quality.md"), "utf8");
  const found = new Map<string, Set<string>>();
  for (const table of text.split(/\n\n/).filter((part) => part.startsWith("| model "))) {
    const [head = [], , ...rows] = table.split("\n").map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
    for (const [model = "", ...cells] of rows) {
      const figures = found.get(model) ?? new Set();
      cells.forEach((cell, i) => {
        if (cell !== "") figures.add(`${head[i + 1] ?? ""}: ${Number(cell)}`);
      });
      found.set(model, figures);
    }
  }
  return found;
}

it("the page of published quality holds the figures of the catalogue", () => {
  const expected = catalogue
    .filter(({ quality }) => quality.length > 0)
    .map(({ id, quality }): [string, Set<string>] => [
      id,
      new Set(quality.map(({ benchmark, value }) => `${benchmark}: ${value}`)),
    ]);
  expect(figuresOfPage()).toEqual(new Map(expected));
});
