/**
 * Makes `test/fixtures/tokenizer/unigram-precompiled`: a tokenizer of XLM-R's kind with a charsmap
 * and a vocabulary of its own, small. `npx tsx test/support/make-unigram-precompiled.ts`
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { charsmap } from "./charsmap.js";

const FOLDER = fileURLToPath(
  new URL("../fixtures/tokenizer/unigram-precompiled/", import.meta.url),
);
const SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"];
const MASK = "<mask>";
const WORDS = [
  ..."the mill turns slowly all day what is for and who it lorem ipsum dolor sit amet word more".split(
    " ",
  ),
  ..."漢字 かな 敏捷 狐狸 한글 хлеб при вет नम स्ते ab aba abab aa aaa --- -- .. ... ....".split(" "),
];
const LETTERS = Array.from(
  "abcdefghijklmnopqrstuvwxyzABCDEGMT0123456789.,:;!?'\"()[]{}<>/\\|_-+=~`@#$%^&*éüñ漢字仮名の敏捷한글хлебприветनमस्ते",
);

/** The rules of NFKC in the first scripts; controls vanish, whitespace is a space. */
function replacements(): Record<string, string> {
  const found: Record<string, string> = { "\r\n": " ", "\u200d": " ", "\u200c": "" };
  for (let point = 1; point < 0x3400; point += 1) {
    const character = String.fromCodePoint(point);
    if (/\s/u.test(character)) found[character] = " ";
    else if (/\p{Cc}|\u00ad|\ufeff/u.test(character)) found[character] = "";
    else if (character.normalize("NFKC") !== character)
      found[character] = character.normalize("NFKC");
    const decomposed = character.normalize("NFD");
    if (point < 0x250 && decomposed !== character) found[decomposed] = character;
  }
  return found;
}

const pieces = new Set([...WORDS, ...WORDS.map((word) => `▁${word}`), ...LETTERS, "▁"]);
const vocab: [string, number][] = [
  ...SPECIALS.map((token): [string, number] => [token, 0]),
  // Scores of ever the same few tenths: many sums are equal, or would be but for their order.
  ...[...pieces].map((piece, index): [string, number] => [
    piece,
    -1.1 - (index % 7) * 0.7 - index / 100,
  ]),
  [MASK, 0],
];
const special = (content: string, id: number) => ({
  id,
  content,
  single_word: false,
  lstrip: content === MASK,
  rstrip: false,
  normalized: false,
  special: true,
});
const tokenizer = {
  version: "1.0",
  truncation: null,
  padding: null,
  added_tokens: [...SPECIALS.map(special), special(MASK, vocab.length - 1)],
  normalizer: {
    type: "Sequence",
    normalizers: [
      { type: "Precompiled", precompiled_charsmap: charsmap(replacements()) },
      { type: "Replace", pattern: { Regex: " {2,}" }, content: " " },
    ],
  },
  pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true },
  post_processor: {
    type: "RobertaProcessing",
    sep: ["</s>", 2],
    cls: ["<s>", 0],
    trim_offsets: true,
    add_prefix_space: false,
  },
  decoder: null,
  model: { type: "Unigram", unk_id: 3, vocab, byte_fallback: false },
};
mkdirSync(FOLDER, { recursive: true });
writeFileSync(`${FOLDER}tokenizer.json`, `${JSON.stringify(tokenizer)}\n`);
writeFileSync(`${FOLDER}tokenizer_config.json`, `${JSON.stringify({ pad_token: "<pad>" })}\n`);
