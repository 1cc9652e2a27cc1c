import type { PairTemplate } from "../core/pair-assembly.js";
import type { Prompt, PromptPart } from "../core/prompt.js";
import {
  templateOfPrompt,
  type EncodeText,
  type PromptTemplate,
  type TemplatePart,
} from "../core/prompt-template.js";

/** Ids of special tokens by what they are written as. */
export type SpecialIds = ReadonlyMap<string, number>;

/**
 * The template of a model with a prompt: every text is tokenised here, once.
 *
 * @param encode reads special tokens as text
 */
export async function tokenisePrompt(
  prompt: Prompt,
  padId: number,
  specials: SpecialIds,
  encode: EncodeText,
): Promise<PairTemplate> {
  const all = (parts: readonly PromptPart[]): Promise<TemplatePart[]> =>
    Promise.all(parts.map((part) => tokenisePart(part, specials, encode)));
  const { instruction, partsWithInstruction } = prompt;
  const tokenised: PromptTemplate = {
    parts: await all(prompt.parts),
    ...(partsWithInstruction && { partsWithInstruction: await all(partsWithInstruction) }),
    ...(instruction !== undefined && { instruction }),
  };
  return await templateOfPrompt(tokenised, { padId }, undefined, encode);
}

async function tokenisePart(
  part: PromptPart,
  specials: SpecialIds,
  encode: EncodeText,
): Promise<TemplatePart> {
  if ("text" in part) return { ids: await encodeWithSpecials(part.text, specials, encode) };
  const { slot, before, after } = part;
  const afterIds = [...(await encode(after))];
  const tokens = (await encode(before)).length + afterIds.length;
  return { slot, before, after, tokens, afterIds };
}

/** The ids of a text in which special tokens are special. */
async function encodeWithSpecials(
  text: string,
  specials: SpecialIds,
  encode: EncodeText,
): Promise<number[]> {
  const ids: number[] = [];
  for (let at = 0; at < text.length;) {
    const next = nextSpecial(text, at, specials);
    const end = next?.at ?? text.length;
    if (end > at) ids.push(...(await encode(text.slice(at, end))));
    if (next === undefined) break;
    ids.push(next.id);
    at = end + next.chars;
  }
  return ids;
}

/** The first special token at or after a place; the longest, if several begin there. */
function nextSpecial(
  text: string,
  from: number,
  specials: SpecialIds,
): { readonly at: number; readonly chars: number; readonly id: number } | undefined {
  let first: { at: number; chars: number; id: number } | undefined;
  for (const [content, id] of specials) {
    const at = content === "" ? -1 : text.indexOf(content, from);
    if (at < 0) continue;
    const isNearer = first === undefined || at < first.at;
    if (isNearer || (at === first?.at && content.length > first.chars)) {
      first = { at, chars: content.length, id };
    }
  }
  return first;
}
