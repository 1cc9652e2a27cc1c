import { expect, it } from "vitest";
import { z } from "zod";
import { issueText } from "../../../src/core/issue-text.js";

function textOf(schema: z.ZodType, value: unknown): string {
  const issue = schema.safeParse(value, { reportInput: true }).error?.issues[0];
  if (issue === undefined) throw new Error("the value fits");
  return issueText(issue);
}

it.each<[z.ZodType, unknown, string]>([
  [z.string(), 7, "must be a string, not a number"],
  [z.string(), null, "must be a string, not null"],
  [z.array(z.string()), "a", "must be a list, not a string"],
  [z.object({}), [], "must be an object, not a list"],
  [z.boolean(), "yes", "must be true or false, not a string"],
  [z.coerce.number(), "x", "must be a number"],
  [z.int(), 1.5, "must be a whole number"],
  [z.int().min(1), 0, "must be at least 1"],
  [z.number().gt(1), 1, "must be over 1"],
  [z.number().max(300), 301, "must be at most 300"],
  [z.number().lt(300), 300, "must be below 300"],
  [z.string().min(1), "", "must have at least 1 character"],
  [z.array(z.string()).max(1), ["a", "b"], "must have at most 1 item"],
  [z.enum(["a", "b"]), "c", 'must be one of "a", "b"'],
  [z.literal("a"), "c", 'must be "a"'],
  [z.union([z.string(), z.null()]), 7, "is of no kind that is read here"],
  [z.union([z.string(), z.null()], { error: "must be a name" }), 7, "must be a name"],
  [z.string().regex(/^a/, "must start with a"), "b", "must start with a"],
])("a rule that a value breaks is told in plain words: %#", (schema, value, text) => {
  expect(textOf(schema, value)).toBe(text);
});
