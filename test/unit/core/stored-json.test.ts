import { describe, expect, it } from "vitest";
import { z } from "zod";
import { parseStored, tryStored } from "../../../src/core/stored-json.js";

const schema = z.object({ counts: z.object({ done: z.int() }) });

describe("JSON that an earlier process wrote", () => {
  it("comes back if it has the shape", () => {
    expect(parseStored(schema, '{"counts":{"done":3},"later":1}', "x")).toEqual({
      counts: { done: 3 },
    });
  });

  it.each([
    ["{", /^counts of run r in Redis is damaged.*not JSON/],
    ['{"counts":{"done":"3"}}', /counts\.done: /],
    ["null", /expected object/],
  ])("is refused as damaged, with place and field: %s", (text, message) => {
    expect(() => parseStored(schema, text, "counts of run r in Redis")).toThrow(
      expect.objectContaining({
        code: "damaged",
        place: "counts of run r in Redis",
        message: expect.stringMatching(message) as unknown,
      }),
    );
    expect(tryStored(schema, text)).toBeUndefined();
  });
});
