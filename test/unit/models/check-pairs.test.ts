import { describe, expect, it } from "vitest";
import { checkPairs } from "../../../src/models/check-pairs/check-pairs.js";
import { CHECK_TEXTS } from "../../../src/models/check-pairs/check-texts.js";
import { loadCatalogue } from "../../../src/models/catalogue-files.js";
import { packageRoot } from "../../../src/platform/package-root.js";

/** Characters of scripts that write a token with one: 512 tokens are never longer than so many characters. */
const LONGEST_CHARS = 4_000;

describe("the pairs on which precisions are compared", () => {
  it("are short and as long as a pair may be, in several scripts, and all different", () => {
    const pairs = checkPairs(undefined);
    const texts = pairs.map(({ query, document }) => `${query}\n${document}`);
    expect(new Set(texts).size).toBe(pairs.length);
    const lengths = pairs.map(({ document }) => document.length);
    expect(Math.min(...lengths)).toBeLessThan(60);
    expect(Math.max(...lengths)).toBeGreaterThan(LONGEST_CHARS);
    for (const script of ["Latin", "Cyrillic", "Han", "Arabic"]) {
      const written = new RegExp(String.raw`\p{Script=${script}}`, "u");
      expect(CHECK_TEXTS.some(({ query }) => written.test(query))).toBe(true);
    }
  });

  it("begin with those that the model's publisher has scores of", async () => {
    const entry = (await loadCatalogue(packageRoot())).find(
      ({ published }) => published.length > 0,
    );
    const [first] = entry?.published ?? [];
    expect(checkPairs(entry)[0]).toEqual({ query: first?.query, document: first?.document });
    expect(checkPairs(entry).length).toBe(
      checkPairs(undefined).length + (entry?.published.length ?? 0),
    );
  });
});
