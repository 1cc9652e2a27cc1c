/** Prompts: the texts around query and document that rerankers which are language models read. */
import { z } from "zod";
import { RankmillError } from "./errors.js";
import { option, wording } from "./wording.js";

/** Most characters of one text of a prompt, and of an instruction. */
export const MAX_PROMPT_TEXT_CHARS = 4_096;
const MAX_PARTS = 32;

const text = z.string().max(MAX_PROMPT_TEXT_CHARS);
const slotSchema = z.strictObject({
  slot: z.enum(["instruction", "query", "document"]),
  before: text.default(""),
  after: text.default(""),
});
const partSchema = z.union([z.strictObject({ text: text.min(1) }), slotSchema], {
  error: (issue) =>
    `is ${shown(issue.input)}: write {"text": …}, or {"slot": …} with instruction, query or document, and before and after if there is text around it`,
});
const partsSchema = z
  .array(partSchema)
  .max(MAX_PARTS)
  .refine((parts) => count(parts, "query") === 1 && count(parts, "document") === 1, {
    error: "needs one slot for the query and one for the document",
  })
  .refine((parts) => count(parts, "instruction") <= 1, {
    error: "has more than one slot for the instruction",
  });

/**
 * A prompt as a file holds it. Each part is tokenised by itself. Special tokens in a text are special. The
 * text that fills a slot never becomes one; it is tokenised with the texts directly before and after it.
 */
export const promptSchema = z
  .strictObject({
    parts: partsSchema,
    /** The parts of a job with an instruction, if they differ in more than its slot. */
    partsWithInstruction: partsSchema.exactOptional(),
    /** The instruction of a job that gives none. Without it, the slot is left out. */
    instruction: text.min(1).exactOptional(),
  })
  .refine(
    (prompt) => prompt.instruction === undefined || takesInstruction(prompt),
    "has an instruction, and no slot for it",
  );

export type PromptPart = z.infer<typeof partSchema>;
export type Prompt = z.infer<typeof promptSchema>;

const SHOWN_CHARS = 80;

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, SHOWN_CHARS);
}

function count(parts: readonly object[], slot: "instruction" | "query" | "document"): number {
  return parts.filter((part) => "slot" in part && part.slot === slot).length;
}

export function takesInstruction({
  parts,
  partsWithInstruction = parts,
}: {
  readonly parts: readonly object[];
  readonly partsWithInstruction?: readonly object[];
}): boolean {
  return count(partsWithInstruction, "instruction") === 1;
}

/** The parts that a job is asked with, and the instruction in them. */
export function partsFor<Part>(
  prompt: {
    readonly parts: readonly Part[];
    readonly partsWithInstruction?: readonly Part[];
    readonly instruction?: string;
  },
  given: string | undefined,
): { readonly parts: readonly Part[]; readonly instruction: string | undefined } {
  const instruction = given ?? prompt.instruction;
  const { parts, partsWithInstruction = parts } = prompt;
  return { parts: instruction === undefined ? parts : partsWithInstruction, instruction };
}

/** @throws RankmillError `invalid_field` if a job has an instruction and its model takes none */
export function checkInstruction(
  instruction: string | undefined,
  takesOne: boolean,
  model: string,
): void {
  if (instruction === undefined || takesOne) return;
  const message = wording`${option("instruction")}: ${model} takes none: leave it out, or choose a model with a prompt`;
  throw new RankmillError("invalid_field", message, {
    field: "instruction",
    context: { model },
  });
}
