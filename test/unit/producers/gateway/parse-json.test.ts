import { expect, it } from "vitest";
import { parseJson } from "../../../../producers/gateway/parse-json.js";

it("a body of JSON is read, with or without a byte order mark before it", () => {
  const text = '{"query":"Mühle 麦 😀"}';
  for (const before of ["", "\ufeff"]) {
    expect(parseJson(Buffer.from(before + text))).toEqual({
      value: { query: "Mühle 麦 😀" },
      text,
    });
  }
});

it.each([
  ["not UTF-8", Buffer.from('{"query":"Mühle"}', "latin1"), "the body is not UTF-8"],
  ["cut within a character", Buffer.from('"é"').subarray(0, 2), "the body is not UTF-8"],
  ["no JSON", Buffer.from("{"), "the body is not JSON"],
  ["empty", Buffer.alloc(0), "the body is not JSON"],
])("a body that is %s is refused", (_, bytes, message) => {
  expect(() => parseJson(bytes)).toThrowError(
    expect.objectContaining({ code: "invalid_json", message }),
  );
});
