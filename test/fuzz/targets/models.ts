/** Folders of models: their JSON, graphs and tokenizers. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspectModelFolder } from "../../../src/models/model-folder.js";
import { cutRulesOf, nextCut } from "../../../src/tokenizers/cuts.js";
import { compileUnigram } from "../../../src/tokenizers/kinds/unigram/unigram-spec.js";
import { parsePairTemplate } from "../../../src/tokenizers/pair-template.js";
import { parseTokenizer, readTokenizerFiles } from "../../../src/tokenizers/tokenizer-json.js";
import { CROSS_ENCODER, onnxBytes } from "../../support/onnx-bytes.js";
import { mutated } from "../support/mutate.js";
import { must, type FuzzTarget } from "../support/target.js";

const CONFIGS = [
  '{"model_type":"bert","architectures":["BertForSequenceClassification"],"max_position_embeddings":512,"num_labels":1}',
  '{"model_type":"xlm-roberta","max_position_embeddings":514,"pad_token_id":1,"id2label":{"0":"LABEL_0"}}',
];
const TOKENIZER_CONFIGS = [
  '{"model_max_length":512}',
  '{"model_max_length":1e30,"cls_token":"[CLS]"}',
];
const SETTINGS = [
  '{"prompt":"zerank","head":{"kind":"softmax","label":1,"scale":0.2},"activation":"identity"}',
  '{"prompt":{"parts":[{"slot":"query"},{"text":" "},{"slot":"document"}]}}',
];
const GRAPHS = [
  onnxBytes(CROSS_ENCODER),
  onnxBytes({ ...CROSS_ENCODER, operators: ["Gather", "Sigmoid"], lastOutput: "logits" }),
  onnxBytes({
    ...CROSS_ENCODER,
    external: [{ location: "model.onnx_data", offset: 0, length: 8 }],
    inlineBytes: 64,
  }),
];

export const models: FuzzTarget = {
  name: "models",
  files: true,
  weight: 2,
  run: async ({ random, folder }) => {
    const put = (name: string, valid: readonly (string | Uint8Array)[]): void =>
      writeFileSync(join(folder, name), mutated(random, valid));
    put("config.json", CONFIGS);
    put("tokenizer_config.json", TOKENIZER_CONFIGS);
    put("model.onnx", GRAPHS);
    if (random.between(0, 1) === 0) put("rankmill.json", SETTINGS);
    if (random.between(0, 3) === 0) {
      mkdirSync(join(folder, "onnx"));
      put("onnx/model_int8.onnx", GRAPHS);
    }
    writeFileSync(join(folder, "tokenizer.json"), "{}");
    writeFileSync(join(folder, "model.onnx_data"), Buffer.alloc(8));
    const found = await inspectModelFolder(folder);
    must(found.maxPositions >= 1, "a model takes no tokens", found.maxPositions);
    const outside = found.files.flatMap(({ problem, externalData }) =>
      problem === undefined ? externalData.filter((path) => !path.startsWith(folder)) : [],
    );
    must(outside.length === 0, "weights lie outside the folder", outside);
  },
};

const fixture = (path: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`../../fixtures/tokenizer/${path}`, import.meta.url)));
const TOKENIZERS = [
  fixture("wordpiece-bert-processing/tokenizer.json"),
  fixture("unigram-roberta-processing/tokenizer.json"),
  fixture("bpe-merges-into-special/tokenizer.json"),
];
const TEXT = "one two, three. 漢字 four";

export const tokenizers: FuzzTarget = {
  name: "tokenizers",
  files: true,
  weight: 4,
  run: async ({ random, folder }) => {
    const json = mutated(random, TOKENIZERS);
    writeFileSync(join(folder, "tokenizer.json"), json);
    writeFileSync(join(folder, "tokenizer_config.json"), mutated(random, TOKENIZER_CONFIGS));
    const { tokenizerJson, tokenizerConfig } = parseTokenizer(await readTokenizerFiles(folder));
    const rules = cutRulesOf(tokenizerJson);
    const cut = nextCut(TEXT, rules, 1);
    // -1: there is none.
    must(cut === -1 || (cut >= 1 && cut <= TEXT.length), "a cut lies outside the text", cut);
    parsePairTemplate(tokenizerJson, tokenizerConfig);
    // Whoever opens it takes any error for a tokenizer that this kind cannot read.
    try {
      compileUnigram(tokenizerJson, json.toString());
    } catch (error) {
      must(!(error instanceof RangeError), "a tokenizer takes too much", String(error));
    }
  },
};
