import { chmod, cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  openTokenizer,
  type OpenTokenizerOptions,
} from "../../../../../src/tokenizers/open-tokenizer.js";
import {
  readTokenizerFiles,
  tokenizerJsonSchema,
} from "../../../../../src/tokenizers/tokenizer-json.js";
import {
  compiledPath,
  readCompiled,
  writeCompiled,
} from "../../../../../src/tokenizers/kinds/unigram/unigram-file.js";
import {
  compileUnigram,
  sourceDigest,
} from "../../../../../src/tokenizers/kinds/unigram/unigram-spec.js";
import { readRustNumber } from "../../../../../src/tokenizers/kinds/unigram/rust-numbers.js";
import { firstUnlessLong } from "../../../../support/needs.js";

const FIXTURE = fileURLToPath(
  new URL("../../../../fixtures/tokenizer/unigram-precompiled", import.meta.url),
);
const TEXT = "the mill turns  slowly";

let compiledDir: string;
beforeEach(async () => {
  compiledDir = await mkdtemp(join(tmpdir(), "rankmill-compiled-"));
});
afterEach(async () => {
  await chmod(compiledDir, 0o755);
  await rm(compiledDir, { recursive: true, force: true });
});

async function idsOf(
  options: OpenTokenizerOptions = {},
  folder = FIXTURE,
): Promise<{ ids: number[]; kind: string }> {
  const { tokenizer } = await openTokenizer(folder, { compiledDir, ...options });
  const [ids = new Int32Array()] = await tokenizer.encode([TEXT]);
  await tokenizer.close();
  return { ids: [...ids], kind: tokenizer.kind };
}

async function sourceOf(folder: string): Promise<string> {
  const { json, config } = await readTokenizerFiles(folder);
  return sourceDigest([json, config ?? new Uint8Array()]);
}

describe("a compiled tokenizer", () => {
  it("is written at the first start and used at the next", async () => {
    const first = await idsOf();
    expect(first.kind).toBe("rankmill");
    const source = await sourceOf(FIXTURE);
    const kept = await readCompiled(compiledDir, source);
    if (kept === undefined) throw new Error("nothing was kept");
    expect(await idsOf()).toEqual(first);
    // Proof that it is used: one whose scores are turned round is believed.
    const { unigram, template } = kept;
    const scores = unigram.scores.map((score) => -score);
    await writeCompiled(compiledDir, source, { template, unigram: { ...unigram, scores } });
    expect((await idsOf()).ids).not.toEqual(first.ids);
  });

  it("is made anew if any byte was changed, and never used as it is", async () => {
    const first = await idsOf();
    const path = compiledPath(compiledDir, await sourceOf(FIXTURE));
    const whole = await readFile(path);
    for (const share of firstUnlessLong([0, 0.5, 1, 0.01, 0.2, 0.9], 3)) {
      const spoilt = Buffer.from(whole);
      const at = Math.round(share * (whole.length - 1));
      spoilt[at] = (spoilt[at] ?? 0) ^ 1;
      await writeFile(path, spoilt);
      expect(await idsOf()).toEqual(first);
      expect((await readFile(path)).equals(whole)).toBe(true);
    }
    for (const rest of [
      whole.subarray(0, 0),
      whole.subarray(0, -9),
      Buffer.concat([whole, whole]),
    ]) {
      await writeFile(path, rest);
      expect(await idsOf()).toEqual(first);
      expect((await readFile(path)).equals(whole)).toBe(true);
    }
    expect(await readdir(compiledDir)).toHaveLength(1);
  });

  it("is not the one of another tokenizer, even under its name", async () => {
    await idsOf();
    const other = join(compiledDir, "other");
    await cp(FIXTURE, other, { recursive: true });
    const text = await readFile(join(other, "tokenizer.json"), "utf8");
    await writeFile(join(other, "tokenizer.json"), text.replace('"▁the"', '"▁thé"'));
    await cp(
      compiledPath(compiledDir, await sourceOf(FIXTURE)),
      compiledPath(compiledDir, await sourceOf(other)),
    );
    const expected = await idsOf({ kind: "tokenizers" }, other);
    expect((await idsOf({}, other)).ids).toEqual(expected.ids);
  });

  it("may fail to be written", async () => {
    const first = await idsOf();
    await rm(compiledPath(compiledDir, await sourceOf(FIXTURE)));
    // A folder's place that a file has: nobody may write there, root included.
    const blocked = join(compiledDir, "file");
    await writeFile(blocked, "");
    expect(await idsOf({ compiledDir: blocked })).toEqual(first);
    expect((await stat(blocked)).size).toBe(0);
  });
});

async function parsed(): Promise<Record<string, unknown>> {
  const text = await readFile(join(FIXTURE, "tokenizer.json"), "utf8");
  return JSON.parse(text) as Record<string, unknown>;
}

describe("our own tokenizer", () => {
  it.each<[string, (json: Record<string, unknown>) => unknown]>([
    [
      "bytes to fall back on",
      (json) => Object.assign(json["model"] as object, { byte_fallback: true }),
    ],
    ["another model", (json) => Object.assign(json["model"] as object, { type: "BPE" })],
    ["no unknown token", (json) => Object.assign(json["model"] as object, { unk_id: null })],
    [
      "an unknown token that is not special",
      (json) => Object.assign(json["model"] as object, { unk_id: 9 }),
    ],
    [
      "a piece that is there twice",
      (json) => (json["model"] as { vocab: unknown[] }).vocab.push(["▁the", -1.5]),
    ],
    [
      "scores above 0",
      (json) =>
        Object.assign(json["model"] as object, {
          vocab: [
            ["<unk>", 1],
            ["a", 2],
          ],
          unk_id: 0,
        }),
    ],
    [
      "added tokens that are not special",
      (json) => (json["added_tokens"] as unknown[]).push({ id: 9, content: "x" }),
    ],
    ["another normaliser", (json) => (json["normalizer"] = { type: "NFKC" })],
    ["no normaliser", (json) => (json["normalizer"] = null)],
    [
      "another replacement",
      (json) =>
        Object.assign((json["normalizer"] as { normalizers: object[] }).normalizers[1] ?? {}, {
          content: "_",
        }),
    ],
    [
      "a charsmap that is none",
      (json) => (json["normalizer"] = { type: "Precompiled", precompiled_charsmap: "AAAA" }),
    ],
    [
      "a mark before the first word alone",
      (json) => Object.assign(json["pre_tokenizer"] as object, { prepend_scheme: "first" }),
    ],
    [
      "words that are not split",
      (json) => Object.assign(json["pre_tokenizer"] as object, { split: false }),
    ],
    [
      "another mark",
      (json) => Object.assign(json["pre_tokenizer"] as object, { replacement: "_" }),
    ],
    ["another pre-tokeniser", (json) => (json["pre_tokenizer"] = { type: "Whitespace" })],
  ])("leaves a tokenizer with %s to the libraries", async (_what, change) => {
    const json = await parsed();
    change(json);
    const spec = compileUnigram(tokenizerJsonSchema.parse(json), JSON.stringify(json));
    expect(spec.status).toBe("unsupported");
  });

  it("is not taken for a file that it cannot read, and says so if it is asked for", async () => {
    const folder = join(compiledDir, "model");
    await cp(FIXTURE, folder, { recursive: true });
    const json = await parsed();
    json["normalizer"] = { type: "NFKC" };
    await writeFile(join(folder, "tokenizer.json"), JSON.stringify(json));
    expect((await idsOf({}, folder)).kind).toBe("tokenizers");
    await expect(idsOf({ kind: "rankmill" }, folder)).rejects.toMatchObject({
      code: "model_unusable",
      message: expect.stringContaining("of its normaliser") as string,
    });
  });

  it("reads numbers as serde_json does", () => {
    // Seen in what the library writes of a file that it has read.
    expect(readRustNumber("-1.8800000000000001")).toBe(-1.88);
    expect(readRustNumber("-3.7199999999999998")).toBe(-3.72);
    expect(readRustNumber("-3.4635426998138428")).toBe(-3.4635426998138428);
    expect(readRustNumber("0")).toBe(0);
    expect(readRustNumber("-3e2")).toBe(-300);
    expect(readRustNumber("1.5E-320")).toBeCloseTo(1.5e-320);
  });
});
