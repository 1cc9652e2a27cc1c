import { CharTokenizer, SplittingTokenizer, WordTokenizer } from "../support/fakes/tokenizers.js";
import { describeTokenizer } from "./tokenizer.suite.js";

describeTokenizer("in memory, of characters", "characters", () =>
  Promise.resolve(new CharTokenizer()),
);
describeTokenizer("in memory, of words", "words", () => Promise.resolve(new WordTokenizer()));
describeTokenizer("in memory, of words that are split well", "words", () =>
  Promise.resolve(new SplittingTokenizer()),
);
