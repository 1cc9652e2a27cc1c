/** The rules of every format of an input line. */
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, parseRequest } from "../../src/core/contract.js";
import type { InputFormat, ParsedLine } from "../../src/core/ports/input-format.js";
import { inputFormats } from "../../src/inputs/formats/registry.js";

export interface InputFormatExamples {
  /** Good lines, each of one query with the documents "first", "second", … as many as the shape holds. */
  readonly good: readonly [ParsedLine, ...ParsedLine[]];
  /** A field whose absence from the first good line must be refused, by the format or by the contract. */
  readonly needs: string;
}

export function testInputFormat(format: InputFormat, { good, needs }: InputFormatExamples): void {
  const [first] = good;

  function requestOf(line: ParsedLine): ReturnType<typeof parseRequest> {
    const conversion = format.toRequest(line);
    if (conversion.status === "unusable") throw new Error(conversion.message);
    return parseRequest(conversion.request, DEFAULT_LIMITS, 100, "no-id-of-its-own");
  }

  describe(`the input format ${format.name}`, () => {
    it("is in the registry once, under a name that an option can spell", () => {
      expect(inputFormats().filter(({ name }) => name === format.name)).toEqual([format]);
      expect(format.name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(format.fields).not.toBe("");
    });

    it("knows its own lines, and no other format takes them first", () => {
      for (const line of good) {
        expect(format.detect(line)).toBe(true);
        expect(inputFormats().find((other) => other.detect(line))?.name).toBe(format.name);
      }
      expect(format.detect({})).toBe(false);
    });

    it("makes a request that the contract takes, with the documents in their order", () => {
      for (const line of good) {
        const { query, documents } = requestOf(line);
        expect(query).toBe("query");
        const texts = ["first", "second", "third"].slice(0, documents.length);
        expect(documents.map(({ text }) => text)).toEqual(texts);
      }
    });

    it("makes the same request of the same line, and leaves the line as it is", () => {
      for (const line of good) {
        const before = structuredClone(line);
        expect(requestOf(line)).toEqual(requestOf(structuredClone(line)));
        expect(line).toEqual(before);
      }
    });

    it("never throws, whatever the fields hold", () => {
      const values = [null, undefined, 0, "", "text", [], {}, [null], { text: 3 }, true];
      for (const field of Object.keys(first)) {
        for (const value of values) {
          const { status } = format.toRequest({ ...first, [field]: value });
          expect(["converted", "unusable"]).toContain(status);
        }
      }
    });

    it("leads to a refusal that names what is missing", () => {
      const { [needs]: _, ...rest } = first;
      expect(() => requestOf(rest)).toThrow(needs);
    });

    if (format.writeBack === undefined) return;
    const writeBack = format.writeBack;

    it("writes scores back beside all that the line had, and reads the result as the same line", () => {
      for (const line of good) {
        const { documents } = requestOf(line);
        const results = documents.map((_, index) => ({ index, logit: index + 0.5 }));
        const written = writeBack(line, results.toReversed());
        expect(written).toMatchObject(line);
        expect(JSON.stringify(written)).toContain("0.5");
        expect(requestOf(written)).toEqual(requestOf(line));
      }
    });
  });
}
