/** A prompt whose texts are tokens, and the template of the pairs that one instruction makes of it. */
import type { PairTemplate, TextAround } from "./pair-assembly.js";
import { partsFor } from "./prompt.js";

/** A part of a prompt as tokens, or a slot whose text is not known yet. */
export type TemplatePart =
  | { readonly ids: readonly number[] }
  | ({ readonly slot: "instruction" | "query" | "document" } & TextAround);

export interface PromptTemplate {
  readonly parts: readonly TemplatePart[];
  /** The parts of a job with an instruction, if they differ in more than its slot. */
  readonly partsWithInstruction?: readonly TemplatePart[];
  /** The instruction of a job that gives none. */
  readonly instruction?: string;
}

/** Tokenises a text in which special tokens are text. */
export type EncodeText = (text: string) => Promise<Int32Array>;

/** Gives the template of jobs by their instruction. */
export async function templateOfPrompt(
  prompt: PromptTemplate,
  { padId }: Pick<PairTemplate, "padId">,
  given: string | undefined,
  encode: EncodeText,
): Promise<PairTemplate> {
  const { parts, instruction } = partsFor(prompt, given);
  const fixed: [number[], number[], number[]] = [[], [], []];
  const order: ("query" | "document")[] = [];
  const around = new Map<"query" | "document", TextAround>();
  for (const part of parts) {
    const ids = fixed[order.length];
    if ("ids" in part) {
      ids?.push(...part.ids);
    } else if (part.slot !== "instruction") {
      order.push(part.slot);
      around.set(part.slot, part);
    } else if (instruction !== undefined) {
      ids?.push(...(await encode(part.before + instruction + part.after)));
    }
  }
  const [prefix, middle, suffix] = fixed;
  return {
    padId,
    prompt,
    prefix,
    middle,
    suffix,
    segmentTypeIds: false,
    documentFirst: order[0] === "document",
    aroundQuery: around.get("query"),
    aroundDocument: around.get("document"),
  };
}
