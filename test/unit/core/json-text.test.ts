import { describe, expect, it } from "vitest";
import { alteredText, compactJson, membersOf } from "../../../src/core/json-text.js";
import { SeededRandom } from "../../support/random.js";

describe("the members of an object, as text", () => {
  it("are found whatever stands in their values", () => {
    const text = ` { "a" : 1.0 ,"b\\"c":"x, \\"}\\\\" , "d":{"e":[{"f":"]"},{}]},"é":[ ],"z":null } `;
    expect([...membersOf(text)]).toEqual([
      ["a", "1.0"],
      ['b"c', String.raw`"x, \"}\\"`],
      ["d", '{"e":[{"f":"]"},{}]}'],
      ["é", "[ ]"],
      ["z", "null"],
    ]);
    expect([...membersOf("{}")]).toEqual([]);
  });

  it("are the last of equal names, as a parser has it", () => {
    expect(membersOf('{"a":1,"a":2}').get("a")).toBe("2");
  });
});

describe("a value that a parser has altered", () => {
  it.each([
    '{"n":1234567890123456789}',
    '{"n":1.0}',
    '{"n":1e400}',
    '{"n":-0}',
    '{"10":1,"9":2}',
    '{"a":1,"a":2}',
  ])("keeps its text: %s", (text) => {
    expect(alteredText(text, JSON.parse(text))).toBe(text);
    expect(alteredText(text.replaceAll(":", " : "), JSON.parse(text))).toBe(text);
  });

  it.each([' { "a" : [ 1 , 2.5, -3e-7 ], "b": "\\u00e9\\/\\n" } ', '{"a":{}}', '{"a":"1.0 }"}'])(
    "is told from one that means the same: %s",
    (text) => {
      expect(alteredText(text, JSON.parse(text))).toBeUndefined();
    },
  );

  it("is compared with any value, made up at random", () => {
    const random = new SeededRandom(7);
    const make = (depth: number): unknown => {
      const kind = Math.floor(random.next() * (depth > 3 ? 3 : 5));
      if (kind === 0) return random.next() * 1e6;
      if (kind === 1) return `"\\{[,:]}\n ${"é\u2028".repeat(Math.floor(random.next() * 3))}`;
      if (kind === 2) return [null, true, false, ""][Math.floor(random.next() * 4)];
      const list = Array.from({ length: Math.floor(random.next() * 4) }, () => make(depth + 1));
      return kind === 3 ? list : Object.fromEntries(list.map((one, i) => [`k"${i}`, one]));
    };
    for (let round = 0; round < 300; round += 1) {
      const value = { value: make(0) };
      for (const text of [JSON.stringify(value), JSON.stringify(value, null, 3)]) {
        expect(compactJson(text)).toBe(JSON.stringify(value));
        expect(alteredText(membersOf(text).get("value") ?? "", value.value)).toBeUndefined();
      }
    }
  });
});
