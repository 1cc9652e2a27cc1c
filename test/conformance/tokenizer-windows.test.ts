/** Documents in windows: what every tokenizer must give alike, since places in texts are promised. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTokenizer, type OpenedTokenizer } from "../../src/tokenizers/open-tokenizer.js";
import { encodeWindows, type EncodedWindow } from "../../src/pipeline/encode/encode-windows.js";
import { TOKENIZERS } from "./tokenizer.data.js";

const never = new AbortController().signal;
const ROOMS = [7, 40, 120];
/** More than any of the texts has. */
const BEYOND = { limit: Infinity, overlapTokens: 64, maxWindows: 10_000 };

/** Scripts with and without blanks, marks, emoji, long words; nothing on which libraries differ. */
const TEXTS: readonly string[] = [
  "The mill turns all day, and who turns it? ".repeat(20),
  "敏捷的棕色狐狸跳过了懒狗，磨坊整天都在转动。".repeat(17),
  "Ünï cafe\u0301 😀😀 磨坊 naïve\n\n\tword ".repeat(20),
  "Donaudampfschifffahrtsgesellschaftskapitän".repeat(12),
  `${" ".repeat(500)}mill${"\n".repeat(300)}wheel `.repeat(4),
];

/** Its character map is no usual one, and transformers has that one alone. */
const NOT_FOR_TRANSFORMERS = "unigram-precompiled";

for (const { name, folder, own } of TOKENIZERS) {
  const kinds = [
    "tokenizers" as const,
    ...(name === NOT_FOR_TRANSFORMERS ? [] : ["transformers" as const]),
    ...(own ? ["rankmill" as const] : []),
  ];
  describe(`windows with ${name}`, () => {
    const opened: OpenedTokenizer[] = [];
    beforeAll(async () => {
      for (const kind of kinds) {
        opened.push(await openTokenizer(folder, { kind }));
      }
    });
    afterAll(() => Promise.all(opened.map(({ tokenizer }) => tokenizer.close())));

    it("are the same under every kind, and each is its slice as the tokenizer reads it", async () => {
      for (const room of ROOMS) {
        for (const text of TEXTS) {
          const options = { room, ...BEYOND };
          const all: EncodedWindow[][] = [];
          for (const { tokenizer } of opened) {
            const windows = await encodeWindows(text, options, tokenizer, never);
            const slices = windows.map(({ window }) => text.slice(window.start, window.end));
            const whole = await tokenizer.encode(slices);
            expect(windows.map(({ ids }) => ids)).toEqual(whole.map((ids) => ids.slice(0, room)));
            all.push(windows);
          }
          for (const other of all) expect(other).toEqual(all[0]);
          expectCovered(all[0] ?? [], text);
        }
      }
    });

    it("have the places of their tokens in the whole text if words end at blanks", async () => {
      const text = TEXTS[0] ?? "";
      for (const { tokenizer } of opened) {
        const options = { room: 120, ...BEYOND };
        const [ids = new Int32Array()] = await tokenizer.encode([text]);
        for (const { ids: ofWindow, window } of await encodeWindows(
          text,
          options,
          tokenizer,
          never,
        )) {
          expect(ofWindow).toEqual(ids.slice(window.tokenStart, window.tokenEnd));
        }
      }
    });
  });
}

/** Every character lies in a window, and no window begins or ends inside a surrogate pair. */
function expectCovered(windows: readonly EncodedWindow[], text: string): void {
  let covered = 0;
  for (const { window } of windows) {
    expect(window.start).toBeLessThanOrEqual(covered);
    expect(text.slice(window.start, window.end).isWellFormed()).toBe(true);
    covered = window.end;
  }
  expect(covered).toBe(text.length);
}
