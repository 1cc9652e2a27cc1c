/**
 * Chat templates, as Hugging Face keeps them. They are programs in Jinja, and none is run: one that is
 * a text with slots is compared with the prompts that rankmill knows, any other is unknown.
 */
import type { Prompt, PromptPart } from "../core/prompt.js";

type Slot = "instruction" | "query" | "document";

const EXPRESSION = /\{\{-?([\s\S]*?)-?\}\}/g;
/** Statements and comments: a template with one is more than a text with slots. */
const PROGRAM = /\{[%#]/;
/** Marks that tokenizers put before a text whether or not its template has them. */
const BEGINNING = /^(?:<bos>|<s>|<\|begin_of_text\|>)/;

/** The known prompt that makes the texts of `template`; undefined if none does. */
export function promptOfChatTemplate(
  template: string,
  known: readonly Prompt[],
): Prompt | undefined {
  const wanted = withSlots(template);
  if (wanted === undefined) return undefined;
  return known.find((prompt) => textsOf(prompt).includes(wanted));
}

function withSlots(template: string): string | undefined {
  if (PROGRAM.test(template)) return undefined;
  let unknown = false;
  const text = template.replaceAll(EXPRESSION, (_, expression: string) => {
    const slot = slotOf(expression);
    unknown ||= slot === undefined;
    return mark(slot);
  });
  return unknown ? undefined : comparable(text);
}

/** The slot that an expression fills, by the role of the message that it reads. */
function slotOf(expression: string): Slot | undefined {
  const roles = [...expression.matchAll(/["'](query|document|system)["']/g)].map(
    ([, role]) => role,
  );
  const [role] = roles;
  if (roles.length !== 1) return undefined;
  if (role === "system") return "instruction";
  return role === "query" || role === "document" ? role : undefined;
}

/** The texts of a prompt: with its instruction, and without one. */
function textsOf({ parts, partsWithInstruction = parts }: Prompt): string[] {
  const without = parts.filter((part) => !("slot" in part) || part.slot !== "instruction");
  return [partsWithInstruction, without].map((each) => comparable(each.map(textOf).join("")));
}

function textOf(part: PromptPart): string {
  return "slot" in part ? part.before + mark(part.slot) + part.after : part.text;
}

/** A character that no text of a prompt holds, and the name of the slot. */
function mark(slot: Slot | undefined): string {
  return `\0${slot ?? ""}\0`;
}

/** Jinja drops the line break at the end of a template, and files end in one more or less. */
function comparable(text: string): string {
  return text.replace(BEGINNING, "").trimEnd();
}
