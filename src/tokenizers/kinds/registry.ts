import type { TokenizerKind } from "./tokenizer-kind.js";

/**
 * Every kind, in the order in which `auto` tries them. Each loads its code when it is opened: the
 * command line reads the names from here and must not load a package for that.
 */
export const TOKENIZER_KINDS = [
  {
    name: "rankmill",
    packageName: undefined,
    open: async (source) => await (await import("./unigram/open-unigram.js")).openUnigram(source),
  },
  {
    name: "tokenizers",
    packageName: "tokenizers",
    open: async (source) =>
      await (await import("./tokenizers-package.js")).openTokenizersPackage(source),
  },
  {
    name: "transformers",
    packageName: "@huggingface/transformers",
    open: async (source) =>
      await (await import("./transformers-package.js")).openTransformersPackage(source),
  },
] as const satisfies readonly TokenizerKind[];

export type TokenizerKindName = (typeof TOKENIZER_KINDS)[number]["name"];
/** A kind by name, or `auto`: the first that reads the file and whose package loads. */
export type TokenizerChoice = "auto" | TokenizerKindName;

export const TOKENIZER_CHOICES: readonly TokenizerChoice[] = [
  "auto",
  ...TOKENIZER_KINDS.map(({ name }) => name),
];

export function kindsToTry(choice: TokenizerChoice): readonly TokenizerKind<TokenizerKindName>[] {
  return TOKENIZER_KINDS.filter(({ name }) => choice === "auto" || choice === name);
}
