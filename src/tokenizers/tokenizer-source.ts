import type { PairTemplate } from "../core/pair-assembly.js";
import { parsePairTemplate } from "./pair-template.js";
import {
  parseTokenizer,
  readTokenizerFiles,
  type ParsedTokenizer,
  type TokenizerFiles,
  type TokenizerJson,
} from "./tokenizer-json.js";

/** The files of a model's tokenizer, parsed no more often than needed. */
export class TokenizerSource {
  readonly files: TokenizerFiles;
  /** Folder of compiled tokenizers; undefined if none may be kept. */
  readonly compiledDir: string | undefined;
  /** Facts met while it was opened, a line each, for people. */
  readonly notes: string[] = [];
  #parsed: ParsedTokenizer | undefined;

  private constructor(files: TokenizerFiles, compiledDir: string | undefined) {
    this.files = files;
    this.compiledDir = compiledDir;
  }

  /** @throws RankmillError `model_unusable` if `tokenizer.json` cannot be read */
  static async open(folder: string, compiledDir: string | undefined): Promise<TokenizerSource> {
    return new TokenizerSource(await readTokenizerFiles(folder), compiledDir);
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

  /** @throws RankmillError `model_unusable` if they do not say how a pair is joined */
  template(): PairTemplate {
    const { tokenizerJson, tokenizerConfig } = this.parsed();
    return parsePairTemplate(tokenizerJson, tokenizerConfig);
  }

  /** The parsed `tokenizer.json`, for a kind that changes it: another kind parses anew. */
  take(): TokenizerJson {
    const { tokenizerJson } = this.parsed();
    this.#parsed = undefined;
    return tokenizerJson;
  }
}
