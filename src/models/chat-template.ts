/**
 * Chat templates, as Hugging Face keeps them. They are programs in Jinja, and none is run: one that is
 * a text with slots is compared with the prompts that rankmill knows, any other is unknown.
 */
import type { Prompt, PromptPart } from "../core/prompt.js";

type Slot = "instruction" | "query" | "document";

/** An expression, with the whitespace that Jinja cuts on the side of a dash. */
const EXPRESSION = /(?:\s*\{\{-|\{\{)([\s\S]*?)(?:-\}\}\s*|\}\})/g;
/** Statements and comments: a template with one is more than a text with slots. */
const PROGRAM = /\{[%#]/;
/** Marks that tokenizers put before a text whether or not its template has them. */
const BEGINNING = /^(?:<bos>|<s>|<\|begin_of_text\|>)/;

const STRING = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/.source;
/** The first message of a role. */
const FIRST = new RegExp(
  `^messages\\|selectattr\\(["']role["'],["'](?:eq|==|equalto)["'],["'](query|document|system)["']\\)(\\|map\\(attribute=["']content["']\\))?\\|first$`,
);
/** The message's text in place of the message, and a text in place of what is not there. */
const CONTENT = /^\((.*)\)(?:\.content|\[["']content["']\])?(?:\[0\](?:\.text|\[["']text["']\]))?$/;
const DEFAULT = new RegExp(`^([\\s\\S]*?)\\|\\s*(?:default|d)\\(\\s*(${STRING})\\s*\\)\\s*$`);
const SLOT_OF_ROLE: ReadonlyMap<string | undefined, Slot> = new Map([
  ["system", "instruction"],
  ["query", "query"],
  ["document", "document"],
]);

/** An expression that is a slot, and the text that fills it if there is nothing else. */
interface ReadSlot {
  readonly slot: Slot;
  readonly usual: string | undefined;
}

/** The known prompt that makes the texts of `template`, with its instruction; undefined if none does. */
export function promptOfChatTemplate(
  template: string,
  known: readonly Prompt[],
): Prompt | undefined {
  const wanted = withSlots(template);
  if (wanted === undefined) return undefined;
  const found = known.find((prompt) => textsOf(prompt).includes(wanted.text));
  const { instruction } = wanted;
  if (found === undefined || instruction === undefined) return found;
  return instruction === found.instruction ? found : { ...found, instruction };
}

function withSlots(template: string): { text: string; instruction?: string } | undefined {
  if (PROGRAM.test(template)) return undefined;
  let isKnown = true;
  let instruction: string | undefined;
  const text = template.replaceAll(EXPRESSION, (_, expression: string) => {
    const read = slotOf(expression);
    // An instruction that is empty leaves the texts around it, which no prompt here does.
    isKnown &&= read !== undefined && !(read.slot === "instruction" && read.usual === "");
    if (read?.slot === "instruction") instruction = read.usual;
    return mark(read?.slot);
  });
  if (!isKnown) return undefined;
  return { text: comparable(text), ...(instruction !== undefined && { instruction }) };
}

/** The slot that an expression fills. One that does anything else to the text of a message is unknown. */
function slotOf(expression: string): ReadSlot | undefined {
  const [, before = expression, usual] = DEFAULT.exec(expression) ?? [];
  const bare = before.replaceAll(/\s/g, "");
  const role = FIRST.exec(CONTENT.exec(bare)?.[1] ?? bare)?.[1];
  const slot = SLOT_OF_ROLE.get(role);
  return slot && { slot, usual: usual === undefined ? undefined : textOfString(usual) };
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
]);

function textOfString(quoted: string): string {
  return quoted.slice(1, -1).replaceAll(/\\([\s\S])/g, (_, one: string) => ESCAPES.get(one) ?? one);
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
