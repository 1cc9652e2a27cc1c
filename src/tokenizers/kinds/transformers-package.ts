import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { flatten } from "../cuts.js";
import type { Stage, TokenizerJson } from "../tokenizer-json.js";
import type { TokenizerSource } from "../tokenizer-source.js";
import { PackageMissing, type BatchEncoder } from "./batch-encoder.js";
import { openPackage } from "./open-package.js";
import type { KindOpening } from "./tokenizer-kind.js";

/**
 * The package's build for browsers. It has the same AutoTokenizer as the one for Node, which loads
 * libonnxruntime and sharp's libvips with their threads (380 ms and 38 MB, against 80 ms and
 * 14 MB), neither of which belongs into a process that only tokenises.
 */
const BUILD_WITHOUT_NATIVE_LIBRARIES = "transformers.web.js";
/** An absolute path is no hub id, so that nothing is ever looked for in the network. */
const VIRTUAL_FOLDER = "/rankmill-tokenizer";
const LOG_ERRORS_ONLY = 40;

interface TransformersModule {
  readonly env: {
    allowRemoteModels: boolean;
    allowLocalModels: boolean;
    useCustomCache: boolean;
    customCache: unknown;
    fetch: unknown;
    logLevel: number;
  };
  readonly AutoTokenizer: {
    from_pretrained(folder: string, options: { local_files_only: true }): Promise<AutoTokenizer>;
  };
}

type AutoTokenizer = (
  texts: string[],
  options: { add_special_tokens: false; return_tensor: false },
) => { readonly input_ids: number[][] };

/** `AutoTokenizer` of `@huggingface/transformers`, given the file's contents from memory. */
export async function openTransformersPackage(source: TokenizerSource): Promise<KindOpening> {
  return await openPackage(source, loadEncoder);
}

async function loadEncoder(json: TokenizerJson): Promise<BatchEncoder> {
  const { env, AutoTokenizer } = await load();
  const repair = textRepair(json);
  json.pre_tokenizer = withSplitMetaspace(json.pre_tokenizer);
  const files: Readonly<Record<string, string>> = {
    [`${VIRTUAL_FOLDER}/tokenizer.json`]: JSON.stringify(json),
    // tokenizer.json alone decides, as in the Rust library: no settings of the slow tokenizers.
    [`${VIRTUAL_FOLDER}/tokenizer_config.json`]: "{}",
  };
  env.logLevel = LOG_ERRORS_ONLY;
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.fetch = () => Promise.reject(new Error("the tokenizer has no network"));
  env.useCustomCache = true;
  env.customCache = {
    match: (path: string) => Promise.resolve(path in files ? new Response(files[path]) : undefined),
    put: () => Promise.resolve(),
  };
  const tokenizer = await AutoTokenizer.from_pretrained(VIRTUAL_FOLDER, { local_files_only: true });
  env.customCache = { match: () => Promise.resolve(), put: () => Promise.resolve() };
  return {
    encodeBatch: (texts) => {
      const options = { add_special_tokens: false, return_tensor: false } as const;
      const { input_ids: ids } = tokenizer(texts.map(repair), options);
      return Promise.resolve(ids.map((list) => Int32Array.from(list)));
    },
  };
}

async function load(): Promise<TransformersModule> {
  let build: string;
  try {
    const main = createRequire(import.meta.url).resolve("@huggingface/transformers");
    build = join(dirname(main), BUILD_WITHOUT_NATIVE_LIBRARIES);
  } catch (error) {
    throw new PackageMissing("@huggingface/transformers is not installed", { cause: error });
  }
  if (!existsSync(build)) throw new PackageMissing(`@huggingface/transformers has no ${build}`);
  return (await import(pathToFileURL(build).href)) as TransformersModule;
}

/**
 * Makes AutoTokenizer split at Metaspace's mark, as the Rust library does by default: it would run
 * the model over a whole text, whose memory grows by some 700 bytes per character.
 */
function withSplitMetaspace(stage: Stage | null | undefined): Stage | null {
  if (stage == null) return null;
  const stages = flatten(stage, "pretokenizers");
  if (!stages.some(({ type }) => type === "Metaspace")) return stage;
  const pretokenizers = stages.flatMap((inner) => {
    if (inner.type !== "Metaspace" || inner["split"] === false) return [inner];
    const mark = typeof inner["replacement"] === "string" ? inner["replacement"] : "▁";
    const pattern = { Regex: `${mark}[^${mark}]*|[^${mark}]+` };
    return [inner, { type: "Split", pattern, behavior: "Isolated", invert: true }];
  });
  return { type: "Sequence", pretokenizers };
}

/** Ideographs beyond U+FFFF as the Rust library sets them apart; AutoTokenizer overlooks them. */
const ASTRAL_IDEOGRAPH =
  /[\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\u{2F800}-\u{2FA1F}]/gu;

/** Differences that can be evened out in the text, at no cost to any other text. */
function textRepair(json: TokenizerJson): (text: string) => string {
  const normalizers = flatten(json.normalizer, "normalizers");
  const bert = normalizers.find(({ type }) => type === "BertNormalizer");
  const lowercases =
    bert?.["lowercase"] === true || normalizers.some(({ type }) => type === "Lowercase");
  const setsIdeographsApart = bert?.["handle_chinese_chars"] === true;
  return (text) => {
    // Lowercased as a text, a word's last sigma becomes ς; character by character it does not.
    let repaired = lowercases ? text.replaceAll("Σ", "σ") : text;
    if (setsIdeographsApart) repaired = repaired.replace(ASTRAL_IDEOGRAPH, " $& ");
    return repaired;
  };
}
