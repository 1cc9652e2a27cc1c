import { describe, expect, it } from "vitest";
import { endOfPiece, pieceChars } from "../../../../src/pipeline/encode/text-pieces.js";

function piecesOf(text: string, maxChars: number): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = endOfPiece(text, at, maxChars);
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces;
}

describe("pieces of a text", () => {
  it("end before the blanks that follow a word", () => {
    expect(piecesOf("the mill \n turns all day", 10)).toEqual([
      "the mill",
      " \n turns",
      " all day",
    ]);
    expect(piecesOf("  two blanks before", 8)).toEqual(["  two", " blanks", " before"]);
  });

  it("take a long word whole, if it is not too long", () => {
    expect(piecesOf("unbelievably long", 6)).toEqual(["unbelievably", " long"]);
    expect(piecesOf("unbelievably", 6)).toEqual(["unbelievably"]);
    const cut = ["intern", "ationa", "lization", " now"];
    expect(piecesOf("internationalization now", 6)).toEqual(cut);
  });

  it("are the whole text if it is no longer than a piece", () => {
    expect(piecesOf("the mill", 8)).toEqual(["the mill"]);
    expect(piecesOf("", 8)).toEqual([]);
  });

  it("divide what has no blanks between characters", () => {
    expect(piecesOf("敏捷的棕色狐狸", 3)).toEqual(["敏捷的", "棕色狐", "狸"]);
    expect(piecesOf(" ".repeat(7), 3)).toEqual(["   ", "   ", " "]);
  });

  it("never divide a surrogate pair, nor what is joined to the character before it", () => {
    expect(piecesOf("😀😀😀", 3)).toEqual(["😀", "😀", "😀"]);
    expect(piecesOf("😀😀", 1)).toEqual(["😀", "😀"]);
    expect(piecesOf("漢字漢e\u0301\u0302fg", 4)).toEqual(["漢字漢", "e\u0301\u0302fg"]);
    expect(piecesOf("ab👩\u200d👩cd", 5)).toEqual(["ab", "👩\u200d👩", "cd"]);
  });

  it("divide even these if there is nothing but marks", () => {
    const marks = `e${"\u20d0".repeat(9)}`;
    expect(piecesOf(marks, 4).join("")).toBe(marks);
    expect(piecesOf(marks, 4)).toHaveLength(3);
  });

  it("give back every text, lone surrogates included, twice as long as asked at the most", () => {
    const texts = [
      "\ud800 \udc00\ud800 x",
      "a\u200d".repeat(30),
      "漢字 mill\u00a0wheel\u3000".repeat(20),
    ];
    for (const text of texts) {
      for (const maxChars of [1, 2, 3, 7, 64]) {
        const pieces = piecesOf(text, maxChars);
        expect(pieces.join("")).toBe(text);
        expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(2 * maxChars);
      }
    }
  });

  it("are short beside a window", () => {
    expect([1, 4, 40, 400, 8_000].map(pieceChars)).toEqual([1, 1, 10, 64, 64]);
  });
});
