import * as K from "./constants.js";
import { GraphBuilder } from "./graph-builder.js";
import type { OnnxModel } from "./onnx-encoder.js";
import { SPECIAL_TOKENS, type Vocabulary } from "./vocabulary.js";
import { addWords } from "./graph-words.js";
import { addMatches, type Matches } from "./graph-matches.js";

/** ScatterElements adds from operator set 16 on; 17 is read by every runtime of the last years. */
const OPSET = 17;

/** BM25's saturation: f (k1 + 1) / (f + length norm), for a tensor [B, Q] of frequencies. */
function saturate(g: GraphBuilder, frequency: string, lengthNorm: string): string {
  const above = g.op("frequency_scaled", "Mul", [frequency, g.float(K.K1 + 1)]);
  return g.op("saturated", "Div", [above, g.op("below", "Add", [frequency, lengthNorm])]);
}

/** k1 (1 - b + b × relative length), float [B, 1]. */
function addLengthNorm(g: GraphBuilder, documentWord: string): string {
  const words = g.toFloat(
    "document_words",
    g.op("document_words_int", "ReduceSum", [documentWord, g.integers(1)], { keepdims: 1 }),
  );
  const relative = g.op("relative_length", "Div", [words, g.float(K.AVERAGE_DOCUMENT_WORDS)]);
  const clipped = g.op("relative_length_clipped", "Min", [
    relative,
    g.float(K.LONGEST_RELATIVE_LENGTH),
  ]);
  const slope = g.op("length_slope", "Mul", [clipped, g.float(K.K1 * K.B)]);
  return g.op("length_norm", "Add", [slope, g.float(K.K1 * (1 - K.B))]);
}

/** The contribution of each query word, in units of its IDF: float [B, Q]. */
function addWordGain(g: GraphBuilder, matches: Matches, lengthNorm: string): string {
  const { exact, stem, prefix } = matches;
  const zero = g.float(0);
  const stemOrExact = g.op("stem_or_exact", "Max", [stem, exact]);
  const plurals = g.op("plurals", "Sub", [stemOrExact, exact]);
  const relatives = g.op("relatives", "Max", [
    g.op("prefix_beyond", "Sub", [prefix, stemOrExact]),
    zero,
  ]);
  const frequency = g.op("frequency", "Add", [
    exact,
    g.op("partial", "Add", [
      g.op("plurals_weighed", "Mul", [plurals, g.float(K.PLURAL_WEIGHT)]),
      g.op("relatives_weighed", "Mul", [relatives, g.float(K.PREFIX_WEIGHT)]),
    ]),
  ]);
  const gain = saturate(g, frequency, lengthNorm);
  const capped = g.op("gain_capped", "Min", [gain, g.float(K.PARTIAL_CAP)]);
  return g.op("gain", "Where", [g.op("has_exact", "Greater", [exact, zero]), gain, capped]);
}

/** Sums float [B, N] over N in integers, so that neither padding nor order matters: int64 [B, 1]. */
function addExactSum(g: GraphBuilder, terms: string): string {
  const steps = g.op("steps", "Mul", [terms, g.float(K.SUM_STEPS)]);
  const whole = g.toInteger("steps_int", g.op("steps_round", "Round", [steps]));
  return g.op("sum", "ReduceSum", [whole, g.integers(1)], { keepdims: 1 });
}

/** The bounded logit of a BM25 sum and the IDFs' sum, both int64 [B, 1]. */
function addLogit(g: GraphBuilder, score: string, idfSum: string): string {
  const s = g.toFloat("score", score);
  // The least is one step: a query without words is then 0 / small, not 0 / 0.
  const total = g.toFloat("idf_total", g.op("idf_floor", "Max", [idfSum, g.integer(1)]));
  const half = g.op("half", "Mul", [total, g.float(K.HALF_SCORE)]);
  const share = g.op("share", "Div", [s, g.op("score_and_half", "Add", [s, half])]);
  const height = (K.HIGHEST_LOGIT - K.LOWEST_LOGIT) * K.LOGIT_STEPS;
  const steps = g.op("logit_steps", "Round", [
    g.op("share_steps", "Mul", [share, g.float(height)]),
  ]);
  const above = g.op("logit_above", "Div", [steps, g.float(K.LOGIT_STEPS)]);
  return g.op("logit", "Add", [above, g.float(K.LOWEST_LOGIT)]);
}

/**
 * BM25 of a pair `[CLS] query [SEP] document [SEP]`, from the token ids alone.
 *
 * Inputs input_ids, attention_mask, token_type_ids: int64 [batch, sequence]. Output logits:
 * float32 [batch, 1]. A row's logit depends on the row's unmasked tokens and nothing else.
 */
export function buildGraph(vocabulary: Vocabulary): OnnxModel {
  const g = new GraphBuilder();
  const inputs = ["input_ids", "attention_mask", "token_type_ids"].map((name) => ({
    name,
    type: "int64" as const,
    dims: ["batch", "sequence"],
  }));
  const [ids = "", mask = "", types = ""] = inputs.map((value) => g.input(value));
  const words = addWords(g, vocabulary, SPECIAL_TOKENS.length, { ids, mask, types });
  const matches = addMatches(g, words);
  const lengthNorm = addLengthNorm(g, words.documentWord);

  const wordTerms = g.op("word_terms", "Mul", [matches.idf, addWordGain(g, matches, lengthNorm)]);
  const neighbourTerms = g.op("neighbour_terms", "Mul", [
    g.op("neighbour_idf", "Mul", [matches.neighbourIdf, g.float(K.NEIGHBOUR_WEIGHT)]),
    saturate(g, matches.neighbours, lengthNorm),
  ]);
  const score = g.op("score_int", "Add", [
    addExactSum(g, wordTerms),
    addExactSum(g, neighbourTerms),
  ]);
  g.output(addLogit(g, score, addExactSum(g, matches.idf)), "logits");
  return g.build({
    producer: "rankmill models/builtin-bm25/make.ts",
    opset: OPSET,
    graphName: "builtin-bm25",
    docString: "BM25 over the words of a pair: a lexical baseline, not a semantic reranker",
    inputs,
    outputs: [{ name: "logits", type: "float", dims: ["batch", 1] }],
    metadata: { model: "builtin-bm25", kind: "lexical baseline, not a semantic reranker" },
  });
}
