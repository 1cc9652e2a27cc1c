import { describe, expect, it } from "vitest";
import type { Prompt } from "../../../src/core/prompt.js";
import { promptOfChatTemplate } from "../../../src/models/chat-template.js";

const slot = (name: "instruction" | "query" | "document", before = "", after = "") => ({
  slot: name,
  before,
  after,
});
const ASKING: Prompt = {
  parts: [
    { text: "<bos>Judge.\n" },
    slot("instruction", "Instruct: ", "\n"),
    slot("query", "Query: "),
    { text: "\n" },
    slot("document", "Document: "),
    { text: "</s>\nAnswer:\n" },
  ],
  instruction: "Find what answers.",
};
const OTHER: Prompt = { parts: [slot("document"), { text: " ? " }, slot("query")] };
const KNOWN = [OTHER, ASKING];

const read = (role: string) => `{{ (messages | selectattr("role", "eq", "${role}") | first) }}`;
const whole = `Judge.\nInstruct: ${read("system")}\nQuery: ${read("query")}\nDocument: ${read("document")}</s>\nAnswer:\n`;

describe("a chat template", () => {
  it.each([
    ["as it is", whole],
    ["with another line break at its end", `${whole}\n`],
    ["with whitespace that Jinja cuts", whole.replace(" }}</s>", " -}}\n  </s>")],
    ["by the content of messages", whole.replaceAll("first) }}", "first).content }}")],
    [
      "by attributes",
      whole.replaceAll(
        /\(messages(.*?) \| first\)/g,
        'messages$1 | map(attribute="content") | first',
      ),
    ],
    ["on several lines", whole.replaceAll(" | ", "\n    | ")],
    [
      "with its own instruction in words",
      whole.replace("}}\nQuery", '| default("Find what answers.") }}\nQuery'),
    ],
    ["in other quotes", whole.replaceAll('"', "'")],
    ["without its instruction", whole.replace(/Instruct: .*\n/, "")],
  ])("is recognised %s", (_, template) => {
    expect(promptOfChatTemplate(template, KNOWN)).toBe(ASKING);
  });

  it.each([
    ["with another word", whole.replace("Judge", "Say")],
    ["with a space more", whole.replace("Query: ", "Query:  ")],
    ["in the other order", whole.replace('"query"', '"x"').replace('"document"', '"query"')],
    ["with a statement", `{% set x = 1 %}${whole}`],
    ["with a comment", `{# about #}${whole}`],
    ["with a value of its own", whole.replace("Answer:", "{{ eos_token }}Answer:")],
    ["with a space that Jinja cuts", whole.replace("Query: {{", "Query: {{-")],
    [
      "with a query that it changes",
      whole.replace('"query") | first)', '"query") | first) | upper'),
    ],
    ["with the last query", whole.replace('"query") | first)', '"query") | last)')],
    [
      "with an instruction that may be empty",
      whole.replace("}}\nQuery", '| default("") }}\nQuery'),
    ],
    ["without anything", ""],
  ])("is unknown %s", (_, template) => {
    expect(promptOfChatTemplate(template, KNOWN)).toBeUndefined();
  });

  it("gives its own instruction in place of the known prompt's", () => {
    const usual = 'Find the "law",\nnot a comment';
    const template = whole.replace("}}\nQuery", `| default(${JSON.stringify(usual)}) }}\nQuery`);
    expect(promptOfChatTemplate(template, KNOWN)).toEqual({ ...ASKING, instruction: usual });
  });
});
