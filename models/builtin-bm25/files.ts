import {
  AVERAGE_DOCUMENT_WORDS,
  B,
  K1,
  DEFAULT_MAX_TOKENS,
  MAX_POSITION_EMBEDDINGS,
} from "./constants.js";
import { buildGraph } from "./graph.js";
import { encodeOnnxModel } from "./onnx-encoder.js";
import { tokenizerJson } from "./tokenizer.js";
import { buildVocabulary, SPECIAL_TOKENS } from "./vocabulary.js";

/** Values stand in the fields of a BERT configuration if they have a meaning there; the bm25_ ones inform readers. */
function configJson(vocabularySize: number): object {
  return {
    architectures: ["Bm25ForSequenceClassification"],
    model_type: "bm25",
    description: "BM25 as an ONNX graph: a lexical baseline, not a semantic reranker",
    bm25_k1: K1,
    bm25_b: B,
    bm25_average_document_words: AVERAGE_DOCUMENT_WORDS,
    vocab_size: vocabularySize,
    type_vocab_size: 2,
    max_position_embeddings: MAX_POSITION_EMBEDDINGS,
    pad_token_id: SPECIAL_TOKENS.indexOf("[PAD]"),
    num_labels: 1,
    id2label: { 0: "LABEL_0" },
    label2id: { LABEL_0: 0 },
  };
}

function tokenizerConfigJson(): object {
  return {
    tokenizer_class: "BertTokenizer",
    model_max_length: DEFAULT_MAX_TOKENS,
    do_lower_case: true,
    strip_accents: true,
    clean_up_tokenization_spaces: false,
    pad_token: "[PAD]",
    unk_token: "[UNK]",
    cls_token: "[CLS]",
    sep_token: "[SEP]",
    mask_token: "[MASK]",
    added_tokens_decoder: Object.fromEntries(
      SPECIAL_TOKENS.map((content, id) => [
        id,
        {
          content,
          single_word: false,
          lstrip: false,
          rstrip: false,
          normalized: false,
          special: true,
        },
      ]),
    ),
  };
}

function text(content: string): Uint8Array {
  return new TextEncoder().encode(`${content}\n`);
}

/** @returns every file of the model by name: the same bytes each time, on each machine */
export function buildFiles(): ReadonlyMap<string, Uint8Array> {
  const vocabulary = buildVocabulary();
  return new Map([
    ["model.onnx", encodeOnnxModel(buildGraph(vocabulary))],
    ["tokenizer.json", text(JSON.stringify(tokenizerJson(vocabulary)))],
    ["tokenizer_config.json", text(JSON.stringify(tokenizerConfigJson(), null, 2))],
    ["config.json", text(JSON.stringify(configJson(vocabulary.tokens.length), null, 2))],
  ]);
}
