import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RankmillError } from "../../../src/core/errors.js";
import { digestModel, digestModelParts } from "../../../src/models/digest.js";
import { writeLock, type LockedModel } from "../../../src/models/lock-file.js";
import { lockFilePath, pulledModelFolder, shortRevision } from "../../../src/models/model-cache.js";
import { withChecksum } from "../../../src/platform/checksummed-json.js";
import {
  chooseFile,
  inspectModelFolder,
  type ModelFile,
  type ModelFolder,
} from "../../../src/models/model-folder.js";
import { listModels, resolveModel } from "../../../src/models/resolve.js";
import { CROSS_ENCODER, onnxBytes } from "../../support/onnx-bytes.js";

const ROOT = resolve(import.meta.dirname, "../../..");
const FIXTURES = join(ROOT, "test/fixtures/models");
/** The user "nobody" on every Linux. */
const NOBODY = 65_534;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rankmill-folder-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** @returns the longest possible and the default length of a pair */
async function lengths(config: object, tokenizer?: object): Promise<[number, number]> {
  await writeModel({
    "config.json": JSON.stringify(config),
    ...(tokenizer === undefined ? {} : { "tokenizer_config.json": JSON.stringify(tokenizer) }),
  });
  const model = await inspectModelFolder(folder);
  return [model.maxPositions, model.defaultMaxLength];
}

function graphWithData(location: string): Buffer {
  return onnxBytes({ ...CROSS_ENCODER, external: [{ location, offset: 0, length: 100 }] });
}

async function digest(): Promise<string> {
  return digestModel(await inspectModelFolder(folder), "fp32");
}

/** Puts wrong hashes into the memory. @param checksum whether its checksum is made to fit */
async function poison(cacheFile: string, checksum: "fits" | "does not fit"): Promise<boolean> {
  const text = await readFile(cacheFile, "utf8");
  const changed = text.replaceAll(/"sha256":"[0-9a-f]{64}"/g, `"sha256":"${"0".repeat(64)}"`);
  const { checksum: _, ...rest } = JSON.parse(changed) as Record<string, unknown>;
  const fitting = JSON.stringify(withChecksum(rest));
  await writeFile(cacheFile, checksum === "fits" ? fitting : changed);
  return changed !== text;
}

/** Root may read everything: if the tests run as root, the work is done as somebody else. */
async function asNobody<Result>(work: () => Promise<Result>): Promise<Result> {
  const wasRoot = process.geteuid?.() === 0;
  if (wasRoot) process.seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    if (wasRoot) process.seteuid?.(0);
  }
}

const outputs = (logits: number | string) => [{ name: "logits", shape: ["batch", logits] }];
const prompt = (name: string) => ({ "rankmill.json": JSON.stringify({ prompt: name }) });

/** A model folder whose parts are there, to be spoilt one by one. */
async function writeModel(files: Record<string, string | Buffer> = {}): Promise<void> {
  const whole = {
    "config.json": JSON.stringify({ model_type: "bert", max_position_embeddings: 512 }),
    "tokenizer.json": "{}",
    "model.onnx": onnxBytes(CROSS_ENCODER),
    ...files,
  };
  for (const [path, content] of Object.entries(whole)) {
    const target = join(folder, path);
    await mkdir(resolve(target, ".."), { recursive: true });
    await writeFile(target, content);
  }
}

async function refusal(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RankmillError);
  const { code, message } = error as RankmillError;
  expect(message, "one line").not.toContain("\n");
  return { code, message };
}

async function useDefault(): Promise<ModelFile> {
  return chooseFile(await inspectModelFolder(folder)).file;
}

describe("a folder of a real model", () => {
  it.each(["bert", "xlm-roberta", "modernbert", "deberta-v2"])("%s is understood", async (name) => {
    const model = await inspectModelFolder(join(FIXTURES, name));
    expect(model).toMatchObject({ name, modelType: name });
    expect(model.files.map((file) => file.precision).sort()).toEqual(["fp16", "fp32", "int8"]);
    expect(model.files.every((file) => file.problem === undefined)).toBe(true);
    expect(chooseFile(model).file.path).toBe(join(FIXTURES, name, "onnx/model.onnx"));
    expect(chooseFile(model).file.dynamicallyQuantised).toBe(false);
    expect(chooseFile(model, "int8").file.dynamicallyQuantised).toBe(true);
  });

  it("is resolved by its path, named after the folder, with a revision from its bytes", async () => {
    const resolved = await resolveModel(join(FIXTURES, "bert"), { packageRoot: ROOT });
    expect(resolved).toMatchObject({ name: "bert", precision: "fp32", activation: "sigmoid" });
    expect(resolved.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(resolved.revision).toBe(resolved.digest.slice(0, 12));
    expect(resolved.entry).toBeUndefined();
  });
});

describe("a graph whose last operator is known", () => {
  it.each([
    ["Sigmoid", "logits", "identity"],
    ["Sigmoid", "inner", "sigmoid"],
    ["Gemm", "logits", "sigmoid"],
  ])(
    "ends in %s with the output %s, so that the score is made by %s",
    async (operator, lastOutput, activation) => {
      const graph = { ...CROSS_ENCODER, operators: ["Gather", operator], lastOutput };
      await writeModel({ "model.onnx": onnxBytes(graph) });
      expect(await resolveModel(folder, { packageRoot: ROOT })).toMatchObject({ activation });
    },
  );
});

describe("a graph whose products scale what they read", () => {
  it.each([
    ["DynamicQuantizeLinear", true],
    ["MatMulNBits", true],
    ["MatMulBnb4", true],
    ["MatMul", false],
  ])("with %s runs one pair at a time: %s", async (operator, alone) => {
    const graph = { ...CROSS_ENCODER, operators: ["Gather", operator] };
    await writeModel({ "model.onnx": onnxBytes(graph) });
    expect((await useDefault()).dynamicallyQuantised).toBe(alone);
  });
});

describe("the longest pair", () => {
  it("leaves out the positions that RoBERTa keeps for padding", async () => {
    const xlmr = { model_type: "xlm-roberta", pad_token_id: 1 };
    expect(await lengths({ ...xlmr, max_position_embeddings: 514 })).toEqual([512, 512]);
    expect(await lengths({ ...xlmr, max_position_embeddings: 8194 })).toEqual([8192, 512]);
    expect(await lengths({ model_type: "bert", max_position_embeddings: 512 })).toEqual([512, 512]);
  });

  it("is the catalogue's for a catalogued model, whatever the tokenizer advises", async () => {
    const builtin = await resolveModel("builtin", { packageRoot: ROOT });
    expect(builtin).toMatchObject({ name: "builtin-bm25", precision: "fp32" });
    expect(builtin.maxLength).toEqual({ default: 512, highest: 2048 });
    expect(builtin.entry?.id).toBe("builtin-bm25");
  });

  it("is no longer than the tokenizer allows", async () => {
    const bert = { model_type: "bert", max_position_embeddings: 512 };
    await expect(lengths(bert, { model_max_length: 0.5 })).rejects.toThrow("model_max_length");
    expect(await lengths(bert, { model_max_length: 256 })).toEqual([256, 256]);
    expect(await lengths(bert, { model_max_length: 1e30 })).toEqual([512, 512]);
  });
});

describe("the files of a folder", () => {
  it("are told apart by name, the one for any CPU first", async () => {
    const graph = onnxBytes(CROSS_ENCODER);
    await writeModel({
      "onnx/model.onnx": graph,
      "onnx/model_fp16.onnx": graph,
      "onnx/model_qint8_avx512.onnx": graph,
      "onnx/model_quantized.onnx": graph,
      "onnx/model_quint8_avx2.onnx": graph,
      "onnx/model_O4.onnx": graph,
      "onnx/model_q4.onnx": graph,
    });
    const { files } = await inspectModelFolder(folder);
    expect(files.map((file) => [file.precision, file.path.slice(folder.length + 1)])).toEqual([
      ["fp32", "model.onnx"],
      ["fp32", "onnx/model.onnx"],
      ["fp16", "onnx/model_fp16.onnx"],
      ["int8", "onnx/model_quantized.onnx"],
      ["int8", "onnx/model_qint8_avx512.onnx"],
      ["uint8", "onnx/model_quint8_avx2.onnx"],
      ["q4", "onnx/model_q4.onnx"],
    ]);
  });

  it("include the external data that the graph names", async () => {
    const external = [
      { location: "weights.bin", offset: 0, length: 64 },
      { location: "weights.bin", offset: 64, length: 36 },
    ];
    await writeModel({
      "model.onnx": onnxBytes({ ...CROSS_ENCODER, external }),
      "weights.bin": Buffer.alloc(100),
    });
    const model = await inspectModelFolder(folder);
    expect(chooseFile(model).file.externalData).toEqual([join(folder, "weights.bin")]);
    expect(chooseFile(model).file.bytes).toBe(
      onnxBytes({ ...CROSS_ENCODER, external }).length + 100,
    );
  });

  it("are chosen for a precision that is computed from theirs, unless it has its own", async () => {
    await writeModel();
    const computed = { w8: { from: "fp32", form: "rows" } } as const;
    const model = await inspectModelFolder(folder);
    expect(chooseFile(model, "w8", computed)).toMatchObject({
      precision: "w8",
      form: "rows",
      file: { precision: "fp32" },
    });
    expect(() => chooseFile(model, "q4", computed)).toThrow("no q4 file");
    await writeFile(join(folder, "model_w8.onnx"), onnxBytes(CROSS_ENCODER));
    const own = chooseFile(await inspectModelFolder(folder), "w8", computed);
    expect(own).toMatchObject({ form: undefined, file: { precision: "w8" } });
  });

  it("are chosen in the order that is asked for, and int8 never without being asked", async () => {
    await writeModel();
    await rm(join(folder, "model.onnx"));
    await writeFile(join(folder, "model_int8.onnx"), onnxBytes(CROSS_ENCODER));
    const model = await inspectModelFolder(folder);
    expect(chooseFile(model, ["fp16", "int8"]).precision).toBe("int8");
    const { code, message } = await refusal(useDefault());
    expect(code).toBe("model_unusable");
    expect(message).toMatch(/no fp32 file, only int8.*precision/);
    expect(() => chooseFile(model, "bf16")).toThrow(
      "has no bf16 file and no fp32 file to compute bf16 from, only int8: choose one of these with precision",
    );
  });
});

describe("a folder that cannot be used", () => {
  it.each([
    ["tokenizer.json", /no tokenizer\.json: copy it/],
    ["config.json", /config\.json is missing: copy it/],
    ["model.onnx", /no ONNX file .*export the model or pull/],
  ])("is refused without %s, with what to do", async (missing, expected) => {
    await writeModel();
    await rm(join(folder, missing));
    const { code, message } = await refusal(inspectModelFolder(folder));
    expect(code).toBe("model_unusable");
    expect(message).toMatch(expected);
  });

  it.each([
    ["num_labels", { num_labels: 3 }],
    ["id2label", { id2label: { "0": "no", "1": "yes", "2": "maybe" } }],
  ])("is refused with several labels in %s", async (_field, config) => {
    await writeModel({ "config.json": JSON.stringify({ model_type: "bert", ...config }) });
    const { code, message } = await refusal(inspectModelFolder(folder));
    expect(code).toBe("model_unusable");
    expect(message).toMatch(/declares 3 labels.*"head".*num_labels 1/);
  });

  it.each([
    ["reads images", { vision_config: {} }, /reads images.*Qwen3-Reranker-0\.6B/],
    ["ranks lists", { architectures: ["JinaForRanking"] }, /listwise.*Qwen3-Reranker-0\.6B/],
    ["has a head per layer", { head_multi: true }, /layerwise.*bge-reranker-v2-m3/],
    ["compares tokens", { architectures: ["HF_ColBERT"] }, /late interaction.*gte-reranker/],
    ["writes its answer", { is_encoder_decoder: true }, /monoT5.*ms-marco-MiniLM/],
    ["is asked in words", { model_type: "qwen3" }, /nothing says how it is asked.*"prompt"/],
    [
      "is a language model of a new kind",
      { model_type: "qwen3_5", architectures: ["Qwen3_5ForCausalLM"] },
      /qwen3_5 is a language model, and nothing says how it is asked/,
    ],
  ])("is refused with a model that %s, and told of one that works", async (_, config, expected) => {
    await writeModel({ "config.json": JSON.stringify(config) });
    expect((await refusal(inspectModelFolder(folder))).message).toMatch(expected);
  });

  it("is taken with two labels if its graph gives one logit, and not if it does not say", async () => {
    const labels = { model_type: "bert", id2label: { "0": "no", "1": "yes" } };
    const config = { "config.json": JSON.stringify(labels) };
    await writeModel({
      ...config,
      "model.onnx": onnxBytes({ ...CROSS_ENCODER, outputs: outputs(1) }),
    });
    expect(chooseFile(await inspectModelFolder(folder)).file.problem).toBeUndefined();
    for (const unknown of [2, "logits"]) {
      const graph = { ...CROSS_ENCODER, outputs: outputs(unknown) };
      await writeModel({ ...config, "model.onnx": onnxBytes(graph) });
      const model = await inspectModelFolder(folder);
      expect(() => chooseFile(model)).toThrow("gives 2 logits per pair");
    }
  });

  it("is taken with several labels if rankmill.json says which of them counts", async () => {
    const names = ["contradiction", "entailment", "neutral"];
    const id2label = Object.fromEntries(names.map((name, i) => [String(i), name]));
    const use = async (head: object, logits: number | string = 3): Promise<ModelFolder> => {
      await writeModel({
        "config.json": JSON.stringify({ model_type: "bert", id2label }),
        "rankmill.json": JSON.stringify({ head, activation: "identity" }),
        "model.onnx": onnxBytes({ ...CROSS_ENCODER, outputs: outputs(logits) }),
      });
      return await inspectModelFolder(folder);
    };
    for (const logits of [3, "logits"]) {
      const model = await use({ kind: "softmax", label: "entailment", scale: 0.5 }, logits);
      expect(model.head).toEqual({ kind: "softmax", label: 1, against: 0, scale: 0.5 });
      expect(chooseFile(model).file.problem).toBeUndefined();
      const resolved = await resolveModel(folder, { packageRoot: ROOT });
      expect(resolved).toMatchObject({ activation: "identity", head: model.head });
    }
    for (const [head, said] of [
      [{ kind: "softmax", label: "yes" }, /head\.label.*"yes".*contradiction, entailment, neutral/],
      [{ kind: "softmax" }, /head\.label: is missing/],
      [{ kind: "logit", label: 1 }, /head\.label: a head "logit" reads none/],
      [{ kind: "max", label: 1 }, /head\.kind/],
      [{ scale: 0 }, /head\.scale/],
    ] as const) {
      expect((await refusal(use(head))).message).toMatch(said);
    }
    const beyond = await use({ kind: "label", label: 3 });
    expect(() => chooseFile(beyond)).toThrow('correct "label"');
  });

  it("is another model with another head", async () => {
    await writeModel();
    const digests = [await digest()];
    for (const scale of [1, 0.2]) {
      await writeModel({ "rankmill.json": JSON.stringify({ head: { kind: "logit", scale } }) });
      digests.push(await digest());
    }
    expect(new Set(digests).size).toBe(3);
  });

  it("is another model with a prompt, and with another prompt", async () => {
    await writeModel();
    const digests = [await digest()];
    for (const name of ["qwen3-reranker", "mxbai-rerank-v2"]) {
      await writeModel(prompt(name));
      digests.push(await digest());
    }
    expect(new Set(digests).size).toBe(3);
  });

  it("is refused with a config that is not JSON, or not a config", async () => {
    await writeModel({ "config.json": "<html>404</html>" });
    expect((await refusal(inspectModelFolder(folder))).message).toMatch(/not JSON.*again/);
    await writeModel({ "config.json": '{"max_position_embeddings": "many"}' });
    expect((await refusal(inspectModelFolder(folder))).message).toMatch(/max_position_embeddings/);
  });

  it("is refused if it does not exist or is a file", async () => {
    const absent = await refusal(inspectModelFolder(join(folder, "absent")));
    expect(absent).toMatchObject({ code: "model_not_found" });
    await writeFile(join(folder, "file"), "");
    const file = await refusal(inspectModelFolder(join(folder, "file")));
    expect(file.message).toMatch(/is not a folder/);
  });

  it("is refused if it may not be read", async () => {
    await writeModel();
    await chmod(folder, 0o000);
    const { code, message } = await refusal(asNobody(() => inspectModelFolder(folder)));
    await chmod(folder, 0o700);
    expect(code).toBe("model_unusable");
    expect(message).toMatch(/may not be read \(EACCES\).*read access/);
  });

  it.each([
    ["text", Buffer.from("version https://git-lfs.github.com/spec/v1\n"), /damaged or no ONNX/],
    ["nothing", Buffer.alloc(0), /damaged or no ONNX/],
    [
      "half a file",
      onnxBytes({ ...CROSS_ENCODER, inlineBytes: 100_000 }).subarray(0, 50_000),
      /damaged or no ONNX.*download it again/,
    ],
  ])("is refused with %s for a graph", async (_what, bytes, expected) => {
    await writeModel({ "model.onnx": bytes });
    expect((await refusal(useDefault())).message).toMatch(expected);
  });

  it("is refused with a real model that was cut off anywhere", async () => {
    const whole = join(FIXTURES, "bert/onnx/model.onnx");
    await writeModel();
    const target = join(folder, "model.onnx");
    for (const bytes of [1, 37, 4_096, 20_000]) {
      await cp(whole, target);
      await truncate(target, bytes);
      expect((await refusal(useDefault())).message).toMatch(/damaged or no ONNX/);
    }
  });

  it("is refused with external data that is missing, cut off or elsewhere", async () => {
    await writeModel({ "model.onnx": graphWithData("model.onnx_data") });
    expect((await refusal(useDefault())).message).toMatch(/weights are missing.*model\.onnx_data/);
    await writeFile(join(folder, "model.onnx_data"), Buffer.alloc(99));
    expect((await refusal(useDefault())).message).toMatch(/cut off.*99 of 100 bytes/);
    await writeModel({ "model.onnx": graphWithData("../../etc/passwd") });
    expect((await refusal(useDefault())).message).toMatch(/outside its folder/);
  });

  it.each([
    ["a fixed batch", { inputs: [{ name: "input_ids", shape: [1, "s"] }] }, /fixed batch dim.* 1:/],
    ["a fixed length", { inputs: [{ name: "input_ids", shape: ["b", 128] }] }, /fixed sequence/],
    ["no token ids", { inputs: [{ name: "pixels", shape: ["b"] }] }, /no input_ids/],
    [
      "an input of its own",
      { inputs: [...(CROSS_ENCODER.inputs ?? []), { name: "bbox", shape: ["b", "s"] }] },
      /input "bbox"/,
    ],
    ["several logits", { outputs: [{ name: "logits", shape: ["b", 3] }] }, /3 logits per pair/],
    [
      "a logit per word",
      { outputs: [{ name: "logits", shape: ["b", "s", 151_669] }] },
      /word of the vocabulary.*models\/export and --seq-cls/,
    ],
    [
      "keys and values as inputs",
      {
        inputs: [...(CROSS_ENCODER.inputs ?? []), { name: "past_key_values.0.key", shape: ["b"] }],
      },
      /write text, word by word.*--seq-cls/,
    ],
    ["no head", { outputs: [{ name: "last_hidden_state", shape: ["b", "s", 384] }] }, /head/],
  ])("is refused with a graph that has %s", async (_what, change, expected) => {
    await writeModel({ "model.onnx": onnxBytes({ ...CROSS_ENCODER, ...change }) });
    expect((await refusal(useDefault())).message).toMatch(expected);
  });

  it("may have a broken int8 file, which does not stop the fp32 one", async () => {
    await writeModel({ "model_int8.onnx": "rubbish" });
    const model = await inspectModelFolder(folder);
    expect(chooseFile(model).precision).toBe("fp32");
    expect(() => chooseFile(model, "int8")).toThrow(/model_int8\.onnx cannot be used/);
  });
});

describe("the digest", () => {
  it("changes with every part and with nothing else", async () => {
    const external = [{ location: "model.onnx_data", offset: 0, length: 4 }];
    const graph = onnxBytes({ ...CROSS_ENCODER, external });
    await writeModel({ "model.onnx": graph, "model.onnx_data": "abcd" });
    const seen = new Set([await digest()]);
    for (const [path, content] of Object.entries({
      "model.onnx_data": "abce",
      "tokenizer.json": "{ }",
      "config.json": '{"model_type":"bert"}',
      "model.onnx": onnxBytes({ ...CROSS_ENCODER, external, operators: ["Add"] }),
    })) {
      await writeFile(join(folder, path), content);
      seen.add(await digest());
    }
    expect(seen.size).toBe(5);
    const before = await digest();
    await writeFile(join(folder, "README.md"), "other");
    await writeFile(join(folder, "model_fp16.onnx"), graph);
    expect(await digest()).toBe(before);
  });

  it("does not mistake one file for another", async () => {
    await writeModel({ "tokenizer.json": '{"a":1}', "config.json": '{"b":1}' });
    const one = await digest();
    await writeModel({ "tokenizer.json": '{"b":1}', "config.json": '{"a":1}' });
    expect(await digest()).not.toBe(one);
  });

  it("is remembered until a file changes, and survives a damaged memory", async () => {
    await writeModel();
    const cacheFile = join(folder, "made/on/demand/cache.json");
    const model = await inspectModelFolder(folder);
    const first = await digestModelParts(model, "fp32", { cacheFile });
    expect(first.parts.get("config.json")).toMatch(/^[0-9a-f]{64}$/);
    // Proof that the memory is used: a hash that is wrong on purpose is believed.
    const poisoned = await poison(cacheFile, "fits");
    expect((await digestModelParts(model, "fp32", { cacheFile })).digest).not.toBe(first.digest);
    expect(poisoned).toBe(true);
    const touched = new Date(Date.now() + 10_000);
    for (const path of ["model.onnx", "tokenizer.json", "config.json"]) {
      await utimes(join(folder, path), touched, touched);
    }
    expect((await digestModelParts(model, "fp32", { cacheFile })).digest).toBe(first.digest);
    for (const spoil of [
      async () => await writeFile(cacheFile, "{broken"),
      async () => await poison(cacheFile, "does not fit"),
    ]) {
      await spoil();
      const said: string[] = [];
      const onDamaged = (problem: string) => said.push(problem);
      const found = await digestModelParts(model, "fp32", { cacheFile, onDamaged });
      expect(found.digest).toBe(first.digest);
      expect(said).toEqual([expect.stringContaining("is damaged")]);
    }
  });
});

describe("the memory of digests", () => {
  it("keeps what it knew of other models", async () => {
    await writeModel();
    const cacheFile = join(folder, "cache.json");
    const builtin = await inspectModelFolder(join(ROOT, "models/builtin-bm25"));
    await digestModelParts(builtin, "fp32", { cacheFile });
    await digestModelParts(await inspectModelFolder(folder), "fp32", { cacheFile });
    const { files } = JSON.parse(await readFile(cacheFile, "utf8")) as {
      files: Record<string, unknown>;
    };
    expect(Object.keys(files)).toEqual(
      expect.arrayContaining([builtin.configPath, join(folder, "config.json")]),
    );
  });
});

describe("a model with a prompt", () => {
  it("has other names than for a worker of 0.1.0, which reads no prompt, also if it was pulled", async () => {
    const [id, commit] = ["some/decoder", "a".repeat(40)];
    const pulled = pulledModelFolder(folder, id, commit);
    await cp(join(FIXTURES, "qwen3"), pulled, { recursive: true });
    const model = await inspectModelFolder(pulled);
    const files: LockedModel["files"] = {};
    for (const [path, sha256] of (await digestModelParts(model, "fp32")).parts) {
      files[path] = { sha256, bytes: (await stat(join(pulled, path))).size };
    }
    const locked = { repository: id, revision: commit, files };
    await writeLock(lockFilePath(folder), { version: 1, models: { [id]: locked } });
    const { revision } = await resolveModel(id, { packageRoot: ROOT, modelsDir: folder });
    // That version names a pulled model by its commit, and a folder by the files that it reads.
    const before = [commit, await digestModel({ ...model, settingsFiles: [] }, "fp32")];
    expect(before.map(shortRevision)).not.toContain(revision);
    expect((await resolveModel(pulled, { packageRoot: ROOT })).revision).toBe(revision);
  });
});

describe("the name of a model", () => {
  it("is answered with the models there are if nobody knows it", async () => {
    const places = { packageRoot: ROOT, modelsDir: folder };
    const { code, message } = await refusal(resolveModel("no-such-model", places));
    expect(code).toBe("model_not_found");
    expect(message).toBe(
      'no model or folder is named "no-such-model": any other model needs its folder, or its hub id in "rankmill models pull" ("rankmill models list" shows all)',
    );
  });

  it("is answered with the command that brings the model if it is in the catalogue and not here", async () => {
    const places = { packageRoot: ROOT, modelsDir: folder };
    const { code, message } = await refusal(resolveModel("BAAI/bge-reranker-v2-m3", places));
    expect(code).toBe("model_not_found");
    expect(message).toMatch(/run "rankmill models pull bge-reranker-v2-m3"/);
  });

  it("is answered with how to export the model if that has no usable ONNX", async () => {
    const { message } = await refusal(resolveModel("ettin-reranker-17m", { packageRoot: ROOT }));
    expect(message).toMatch(/must be exported first.*models\/export/);
  });

  it("is listed with whether the model is here", async () => {
    const models = await listModels({ packageRoot: ROOT, modelsDir: folder });
    const bge = models.find((model) => model.name === "BAAI/bge-reranker-v2-m3");
    expect(bge).toMatchObject({ atHand: false, aliases: ["bge-reranker-v2-m3"], precisions: [] });
    expect(models.map((model) => model.name)).toContain("builtin-bm25");
  });
});
