import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Tokenizer as Reference } from "tokenizers";
import { DATA, testData } from "../support/needs.js";

const repository = fileURLToPath(new URL("../../", import.meta.url));

/** Real tokenizers and golden ids, not part of the repository. */
export const TOKENIZER_DATA = testData("tokenizers");

export interface TokenizerUnderTest {
  readonly name: string;
  readonly folder: string;
  /** The step of the sweep through the code points that are not listed; 0 for no sweep. */
  readonly sweepEvery: number;
  /** True if our own kind reads it. */
  readonly own: boolean;
}

const inRepository = (
  name: string,
  folder: string,
  sweepEvery = 0,
  own = false,
): TokenizerUnderTest => ({
  name,
  folder: repository + folder,
  sweepEvery,
  own,
});
const inData = (name: string): TokenizerUnderTest => ({
  name,
  folder: `${DATA}/tokenizers/${name}`,
  sweepEvery: 30,
  own: name.startsWith("xlmr"),
});

export const TOKENIZERS: readonly TokenizerUnderTest[] = [
  ...(TOKENIZER_DATA.isMet ? ["bert", "xlmr", "xlmr-whitespace-variant"].map(inData) : []),
  inRepository("builtin-bm25", "models/builtin-bm25", 16),
  inRepository("tiny-bert", "test/fixtures/models/bert", 16),
  inRepository("tiny-deberta-v2", "test/fixtures/models/deberta-v2", 16),
  inRepository("tiny-modernbert", "test/fixtures/models/modernbert", 16),
  inRepository("tiny-gemma", "test/fixtures/models/gemma"),
  inRepository("tiny-llama", "test/fixtures/models/llama"),
  inRepository("tiny-xlm-roberta", "test/fixtures/models/xlm-roberta"),
  inRepository("wordpiece-bert-processing", "test/fixtures/tokenizer/wordpiece-bert-processing"),
  inRepository("unigram-roberta-processing", "test/fixtures/tokenizer/unigram-roberta-processing"),
  inRepository("unigram-precompiled", "test/fixtures/tokenizer/unigram-precompiled", 0, true),
  inRepository("bpe-merges-into-special", "test/fixtures/tokenizer/bpe-merges-into-special"),
];

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
}

export function specialsOf(folder: string): AddedToken[] {
  const json = JSON.parse(readFileSync(`${folder}/tokenizer.json`, "utf8")) as {
    added_tokens: AddedToken[];
  };
  return json.added_tokens.filter(({ special }) => special);
}

/** By folder; reading a vocabulary takes up to a second. */
const references = new Map<string, Reference>();

/** The Rust library on the file as it is, its own truncation and padding switched off. */
export function openReference(folder: string): Reference {
  const known = references.get(folder);
  if (known !== undefined) return known;
  const reference = Reference.fromFile(`${folder}/tokenizer.json`);
  reference.disableTruncation();
  reference.disablePadding();
  references.set(folder, reference);
  return reference;
}

export async function referenceIds(
  reference: Reference,
  texts: readonly string[],
): Promise<number[][]> {
  const encodings = await reference.encodeBatch([...texts], { addSpecialTokens: false });
  return encodings.map((encoding) => encoding.getIds());
}

/** Code points from "61d 7fd 897-89f", hexadecimal. */
export function codePoints(ranges: string): number[] {
  return ranges
    .split(" ")
    .filter((range) => range !== "")
    .flatMap((range) => {
      const [first = 0, last = first] = range.split("-").map((end) => Number.parseInt(end, 16));
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

const hex = (point: number): string => point.toString(16);

/** The inverse of `codePoints`, for ascending ones. */
export function asRanges(points: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const point of points) {
    const open = ranges.at(-1);
    if (open?.[1] === point - 1) open[1] = point;
    else ranges.push([point, point]);
  }
  return ranges
    .map(([first, last]) => (first === last ? hex(first) : `${hex(first)}-${hex(last)}`))
    .join(" ");
}
