import { expect, it } from "vitest";
import { wrapped } from "../../../../producers/cli/say-failure.js";

it.each([
  [12, ["rankmill: no", "model is", "named", "ms-marco-MiniLM-L6-v2"]],
  [undefined, ["rankmill: no model is named ms-marco-MiniLM-L6-v2"]],
  [0, ["rankmill: no model is named ms-marco-MiniLM-L6-v2"]],
])("a text is wrapped at %o columns between its words", (columns, lines) => {
  expect(wrapped("rankmill: no model is named ms-marco-MiniLM-L6-v2", columns)).toEqual(lines);
});
