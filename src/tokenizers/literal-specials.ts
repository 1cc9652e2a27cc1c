import { randomUUID } from "node:crypto";
import type { TokenizerJson } from "./tokenizer-json.js";

/**
 * Goes before the name of a vocabulary entry that no text may reach. It holds a space, which every
 * pre-tokeniser in use takes away or replaces before the model sees a word, and a code point that
 * Unicode keeps free of any meaning; ids stay as they are.
 */
const UNREACHABLE_PREFIX = "\u{10FFFF} ";

/**
 * Makes a tokenizer read special tokens that are written out in a text (`[SEP]`, `</s>`) as text,
 * and give the ids of a text and nothing else: neither special tokens nor truncation nor padding.
 * Added tokens that are not special stay, and so does every id.
 *
 * Taking a token out of `added_tokens` is not enough if the vocabulary has it too: for Unigram,
 * `</s>` is then a piece like any other, and one with the best score.
 *
 * @param json changed in place and returned: a copy of a vocabulary would double the memory
 */
export function withoutSpecials(json: TokenizerJson): TokenizerJson {
  const specials = new Set(
    json.added_tokens.filter(({ special }) => special).map(({ content }) => content),
  );
  json.added_tokens = keepIds(json);
  json.post_processor = null;
  json["decoder"] = null;
  json["truncation"] = null;
  json["padding"] = null;
  renameInVocabulary(json.model, specials);
  return json;
}

/**
 * The added tokens without the special ones. The libraries number those that the vocabulary lacks by
 * their place in the list. So a special token that others follow gives its place to a token that no text
 * can hold, because nobody can guess it.
 */
function keepIds({ added_tokens: tokens, model }: TokenizerJson): TokenizerJson["added_tokens"] {
  const numbered = tokens.filter(({ content }) => !isInVocabulary(model, content));
  const last = numbered.findLastIndex(({ special }) => !special);
  const placeholders = new Set(numbered.slice(0, last + 1).filter(({ special }) => special));
  return tokens.flatMap((token) => {
    if (!token.special) return [token];
    if (!placeholders.has(token)) return [];
    const content = `${UNREACHABLE_PREFIX}${randomUUID()}`;
    return [{ ...token, content, normalized: false, lstrip: false, rstrip: false }];
  });
}

function isInVocabulary({ vocab }: TokenizerJson["model"], content: string): boolean {
  if (Array.isArray(vocab)) {
    return (vocab as unknown[]).some((entry) => Array.isArray(entry) && entry[0] === content);
  }
  return typeof vocab === "object" && vocab !== null && Object.hasOwn(vocab, content);
}

function renameInVocabulary(model: TokenizerJson["model"], specials: ReadonlySet<string>): void {
  const { vocab } = model;
  if (Array.isArray(vocab)) {
    // Unigram: [piece, score] in the order of their ids.
    for (const entry of vocab as unknown[]) {
      if (Array.isArray(entry) && typeof entry[0] === "string" && specials.has(entry[0])) {
        entry[0] = UNREACHABLE_PREFIX + entry[0];
      }
    }
    return;
  }
  if (typeof vocab !== "object" || vocab === null) return;
  const ids = vocab as Record<string, unknown>;
  for (const content of specials) {
    if (!Object.hasOwn(ids, content)) continue;
    ids[UNREACHABLE_PREFIX + content] = ids[content];
    delete ids[content];
  }
  if (typeof model.unk_token === "string" && specials.has(model.unk_token)) {
    model.unk_token = UNREACHABLE_PREFIX + model.unk_token;
  }
  dropMergesInto(model, specials);
}

/** BPE refuses a merge whose result is not in the vocabulary. */
function dropMergesInto(model: TokenizerJson["model"], specials: ReadonlySet<string>): void {
  const merges = model["merges"];
  if (!Array.isArray(merges)) return;
  model["merges"] = (merges as unknown[]).filter((merge) => {
    const pair = typeof merge === "string" ? merge.split(" ") : merge;
    return !(Array.isArray(pair) && specials.has(pair.join("")));
  });
}
