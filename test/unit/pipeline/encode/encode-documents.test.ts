import { describe, expect, it } from "vitest";
import type { ScoringOptions } from "../../../../src/core/job.js";
import type { PairTemplate } from "../../../../src/core/pair-assembly.js";
import type { Tokenizer } from "../../../../src/core/ports/tokenizer.js";
import { SplittingTokenizer, WordTokenizer } from "../../../support/fakes/tokenizers.js";
import type { PairPart, TextWindow } from "../../../../src/core/document-score.js";
import { resolveScoring } from "../../../../src/core/scoring.js";
import { encodeParts } from "../../../../src/pipeline/encode/encode-documents.js";

const TEMPLATE: PairTemplate = {
  prefix: [1],
  middle: [2],
  suffix: [3],
  padId: 0,
  segmentTypeIds: true,
};
const SPECIALS = 3;
/** Room for a document of 29 tokens beside a query of one word. */
const OPTIONS: ScoringOptions = {
  maxLength: 33,
  truncation: "only-second",
  longDocuments: "windows",
  overlapTokens: 8,
};
const ROOM = 29;

const never = new AbortController().signal;

async function partsOf(
  documents: readonly string[],
  rest: Partial<ScoringOptions> = {},
  tokenizer: Tokenizer = new WordTokenizer(),
  query = "q",
): Promise<PairPart[]> {
  const parts: PairPart[] = [];
  const request = { query, documents: documents.map((text) => ({ text })) };
  const scoring = resolveScoring({ ...OPTIONS, ...rest });
  const encoder = { tokenizer, template: TEMPLATE };
  for await (const part of encodeParts(request, scoring, encoder, never)) parts.push(part);
  return parts;
}

interface Seen {
  readonly document: number;
  readonly window: TextWindow;
  readonly ids: readonly number[];
  readonly truncated: boolean;
}

/** All pairs, with the document's own ids. */
function seen(parts: readonly PairPart[]): Seen[] {
  return parts.flatMap(({ pairs, origins }) =>
    pairs.map((pair, i) => {
      const { document = -1, window } = origins[i] ?? {};
      if (window === undefined) throw new Error("no window");
      return {
        document,
        window,
        ids: Array.from(pair.ids.subarray(3, -1)),
        truncated: pair.truncated,
      };
    }),
  );
}

const words = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, i) => `word${from + i}`).join(" ");

describe("long documents in windows", () => {
  it("are covered from end to end, each window as its slice of the text reads", async () => {
    const text = words(200);
    const windows = seen(await partsOf([text]));
    const reader = new WordTokenizer();
    let covered = 0;
    for (const { window, ids, truncated } of windows) {
      const { start, end, tokenStart, tokenEnd } = window;
      expect(start).toBeLessThanOrEqual(covered);
      expect(ids).toEqual(reader.idsOf(text.slice(start, end)));
      expect(ids[0]).toBe(tokenStart);
      expect(ids.at(-1)).toBe(tokenEnd - 1);
      expect(ids.length).toBeLessThanOrEqual(ROOM);
      expect(truncated).toBe(false);
      covered = end;
    }
    expect(covered).toBe(text.length);
    expect(windows.length).toBeGreaterThan(200 / ROOM);
    expect(windows.length).toBeLessThanOrEqual(Math.ceil(200 / (ROOM - 8 - 4)));
    for (const [i, { window }] of windows.slice(1).entries()) {
      expect((windows[i]?.window.tokenEnd ?? 0) - window.tokenStart).toBeGreaterThanOrEqual(8);
    }
  });

  it("are read whole if they fit, to the token, and empty ones too", async () => {
    const documents = [words(ROOM), words(ROOM + 1), ""];
    const windows = seen(await partsOf(documents));
    expect(windows.map(({ document }) => document)).toEqual([0, 1, 1, 2]);
    const [whole, , , empty] = windows;
    expect(whole?.window).toEqual({
      start: 0,
      end: words(ROOM).length,
      tokenStart: 0,
      tokenEnd: ROOM,
    });
    expect(empty?.window).toEqual({ start: 0, end: 0, tokenStart: 0, tokenEnd: 0 });
    expect(windows.every(({ truncated }) => !truncated)).toBe(true);
  });

  it("share nothing if the overlap is 0", async () => {
    const windows = seen(await partsOf([words(100)], { overlapTokens: 0 }));
    expect(windows.flatMap(({ ids }) => ids)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it("are read as far as the most windows reach, and marked if text is left", async () => {
    const tokenizer = new WordTokenizer();
    const text = words(100_000);
    const windows = seen(await partsOf([text], { maxWindows: 3 }, tokenizer));
    expect(windows.map(({ truncated }) => truncated)).toEqual([false, false, true]);
    const asked = tokenizer.texts.filter((piece) => piece !== text).join("").length;
    expect(asked).toBeLessThan(text.length / 5);
  });

  it("are read as far as the tokens per document allow, to the token", async () => {
    const windows = seen(await partsOf([words(200)], { maxTokensPerDoc: 70 }));
    expect(new Set(windows.flatMap(({ ids }) => ids))).toEqual(
      new Set(Array.from({ length: 70 }, (_, i) => i)),
    );
    expect(windows.map(({ truncated }) => truncated).indexOf(true)).toBe(windows.length - 1);
    expect(windows.at(-1)?.window.tokenEnd).toBe(70);
  });

  it("are one window of so many tokens if fewer are allowed than fit", async () => {
    const [only, ...others] = seen(await partsOf([words(200)], { maxTokensPerDoc: 5 }));
    expect(others).toEqual([]);
    expect(only).toMatchObject({ ids: [0, 1, 2, 3, 4], truncated: true });
    expect(only?.window).toMatchObject({ start: 0, tokenStart: 0, tokenEnd: 5 });
    const text = words(5);
    const [whole] = seen(await partsOf([text], { maxTokensPerDoc: 5 }));
    expect(whole).toMatchObject({ truncated: false, window: { end: text.length } });
  });

  it("are cut away, and marked, if the query leaves them no room", async () => {
    const windows = seen(await partsOf(["a b c"], { maxLength: 4, overlapTokens: 0 }));
    expect(windows).toMatchObject([{ ids: [], truncated: true, window: { tokenEnd: 0 } }]);
  });

  it("keep their neighbours' places", async () => {
    const windows = seen(await partsOf(["first", words(70), "last"]));
    expect(windows.at(0)).toMatchObject({ document: 0, window: { end: 5 } });
    expect(windows.at(-1)).toMatchObject({ document: 2, window: { end: 4 } });
    expect(new Set(windows.slice(1, -1).map(({ document }) => document))).toEqual(new Set([1]));
  });

  it("never exceed the max length if a text has more tokens than its pieces", async () => {
    const text = "x".repeat(1_000);
    const windows = seen(await partsOf([text], {}, new SplittingTokenizer()));
    expect(windows.every(({ ids }) => ids.length <= ROOM)).toBe(true);
    expect(windows.some(({ truncated }) => truncated)).toBe(true);
    expect(windows.at(-1)?.window.end).toBe(text.length);
  });

  it("leave in parts if a job has many of them, so that not all are held at once", async () => {
    const documents = Array.from({ length: 40 }, () => words(10_000));
    const parts = await partsOf(documents, { maxWindows: 1_024 });
    expect(parts.length).toBeGreaterThan(1);
    const sizes = parts.map(({ pairs }) => pairs.reduce((sum, { ids }) => sum + ids.length, 0));
    expect(Math.max(...sizes)).toBeLessThan(262_144 + 2 * 10_000 * (1 + SPECIALS));
    expect(parts.flatMap(({ origins }) => origins.map(({ document }) => document))).toEqual(
      parts
        .flatMap(({ origins }) => origins.map(({ document }) => document))
        .toSorted((a, b) => a - b),
    );
  });

  it("stop between calls if the job is cancelled", async () => {
    const controller = new AbortController();
    const tokenizer = new WordTokenizer();
    const parts = encodeParts(
      { query: "q", documents: [{ text: words(100_000) }] },
      resolveScoring({ ...OPTIONS, maxWindows: 1_024 }),
      { tokenizer, template: TEMPLATE },
      controller.signal,
    );
    controller.abort();
    await expect(parts.next()).rejects.toThrow("aborted");
  });
});

describe("truncated documents", () => {
  const TRUNCATE = { longDocuments: "truncate", overlapTokens: undefined } as const;

  it("name no window", async () => {
    const [part] = await partsOf([words(50)], TRUNCATE);
    expect(part?.origins).toEqual([{ document: 0 }]);
    expect(part?.pairs[0]).toMatchObject({ truncated: true });
    expect(part?.pairs[0]?.ids).toHaveLength(33);
  });

  it("keep the tokens per document, counted without query and special tokens", async () => {
    const [part] = await partsOf([words(9), words(8)], { ...TRUNCATE, maxTokensPerDoc: 8 });
    expect(part?.pairs.map(({ ids, truncated }) => [ids.length - SPECIALS - 1, truncated])).toEqual(
      [
        [8, true],
        [8, false],
      ],
    );
  });
});
