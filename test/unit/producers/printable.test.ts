import { expect, it } from "vitest";
import { printable } from "../../../producers/cli/printable.js";

it.each([
  ["\u001b[2J\u001b]0;pwned\u0007", String.raw`\u001b[2J\u001b]0;pwned\u0007`],
  ["x\nline 99 y · ok · forged", String.raw`x\u000aline 99 y · ok · forged`],
  ["\u009b2J", String.raw`\u009b2J`],
  ["a\u202eb\u2066c", String.raw`a\u202eb\u2066c`],
  ["tab\tand 漢字 stay", "tab\tand 漢字 stay"],
])("a text that a terminal would obey is shown instead: %j", (text, shown) => {
  expect(printable(text)).toBe(shown);
});
