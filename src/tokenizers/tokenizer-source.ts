import type { PairTemplate } from "../core/pair-assembly.js";
import type { Prompt } from "../core/prompt.js";
import { readModelSettings } from "../models/model-settings.js";
import { padIdOf, parsePairTemplate } from "./pair-template.js";
import {
  parseTokenizer,
  readTokenizerFiles,
  type ParsedTokenizer,
  type TokenizerFiles,
  type TokenizerJson,
} from "./tokenizer-json.js";
import type { SpecialIds } from "./tokenised-prompt.js";

/** The files of a model's tokenizer, parsed no more often than needed. */
export class TokenizerSource {
  readonly files: TokenizerFiles;
  /** The model's prompt; undefined if it reads a query and a document and nothing else. */
  readonly prompt: Prompt | undefined;
  /** Folder of compiled tokenizers; undefined if none may be kept. */
  readonly compiledDir: string | undefined;
  /** Facts met while it was opened, a line each, for people. */
  readonly notes: string[] = [];
  #parsed: ParsedTokenizer | undefined;

  private constructor(
    files: TokenizerFiles,
    prompt: Prompt | undefined,
    compiledDir: string | undefined,
  ) {
    this.files = files;
    this.prompt = prompt;
    this.compiledDir = compiledDir;
  }

  /** @throws RankmillError `model_unusable` if `tokenizer.json`, or the prompt, cannot be read */
  static async open(folder: string, compiledDir: string | undefined): Promise<TokenizerSource> {
    const [files, settings] = await Promise.all([
      readTokenizerFiles(folder),
      readModelSettings(folder),
    ]);
    return new TokenizerSource(files, settings.prompt, compiledDir);
  }

  /**
   * The parsed files, for those who only look: the next kind gets the same object.
   *
   * @throws RankmillError `model_unusable` if they are no tokenizer
   */
  parsed(): ParsedTokenizer {
    this.#parsed ??= parseTokenizer(this.files);
    return this.#parsed;
  }

  /**
   * The template that the files give. A prompt is another one, and takes its place once texts can be tokenised.
   *
   * @throws RankmillError `model_unusable` if they do not say how a pair is joined
   */
  template(): PairTemplate {
    const { tokenizerJson, tokenizerConfig } = this.parsed();
    if (this.prompt === undefined) return parsePairTemplate(tokenizerJson, tokenizerConfig);
    const padId = padIdOf(tokenizerJson, tokenizerConfig);
    return { prefix: [], middle: [], suffix: [], segmentTypeIds: false, padId };
  }

  /** Ids of the special tokens by what they are written as. */
  specialIds(): SpecialIds {
    const { added_tokens: tokens } = this.parsed().tokenizerJson;
    return new Map(tokens.filter(({ special }) => special).map(({ content, id }) => [content, id]));
  }

  /** The parsed `tokenizer.json`, for a kind that changes it: another kind parses anew. */
  take(): TokenizerJson {
    const { tokenizerJson } = this.parsed();
    this.#parsed = undefined;
    return tokenizerJson;
  }
}
