import { execFileSync } from "node:child_process";
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findEntry } from "../../src/core/catalogue.js";
import { loadCatalogue } from "../../src/models/catalogue-files.js";
import { readLock } from "../../src/models/lock-file.js";
import { lockFilePath, pulledModelFolder } from "../../src/models/model-cache.js";
import { pullModel } from "../../src/models/pull/pull.js";
import { resolveModel } from "../../src/models/resolve.js";
import { CROSS_ENCODER, onnxBytes } from "../support/onnx-bytes.js";
import {
  COMMIT,
  entry,
  files,
  filesWithout,
  graph,
  GRAPH,
  known,
  leftovers,
  refusal,
  REPOSITORY,
  ROOT,
  unknown,
  usePullBench,
} from "../support/pull-bench.js";

const NEXT_COMMIT = "b".repeat(40);
const TMPFS_BYTES = 64 * 1024;

const bench = usePullBench();

describe("contents that are not the pinned ones", () => {
  it("are refused if the bytes are not the listed ones, and nothing of them stays", async () => {
    bench.hub.deliverInstead(GRAPH, Buffer.concat([graph.subarray(0, -1), Buffer.from([99])]));
    const { code, message } = await refusal(pullModel(entry(), bench.options()));
    expect(code).toBe("download_failed");
    expect(message).toMatch(/is not the pinned file \(sha256 .*expected .*thrown away/);
    await expect(stat(join(bench.folderOf(), GRAPH))).rejects.toThrow(/ENOENT/);
    expect(await leftovers(bench.modelsDir)).toEqual([]);
    expect((await readLock(lockFilePath(bench.modelsDir))).models).toEqual({});
  });

  it("are refused if a small file, known by its git id, is another", async () => {
    const config = files.get("config.json") ?? Buffer.alloc(0);
    bench.hub.deliverInstead("config.json", Buffer.from(config.toString().replace("bert", "bart")));
    const { message } = await refusal(pullModel(entry(), bench.options()));
    expect(message).toMatch(/config\.json .*git blob .*expected/);
  });

  it("are refused before the first byte if the catalogue has another hash", async () => {
    const wrong = { ...unknown(GRAPH), sha256: "0".repeat(64) };
    const source = { revision: COMMIT, pinnedOnPull: false, files: { fp32: [wrong] } };
    const { code, message } = await refusal(pullModel(entry(source), bench.options()));
    expect(code).toBe("download_failed");
    expect(message).toMatch(/on the hub, the catalogue has 0000.*report it/);
    expect(bench.hub.contentRequests()).toEqual([]);
  });

  it("are refused if main has moved on since the first pull, until the pin is moved", async () => {
    await pullModel(entry(), bench.options());
    const config = Buffer.from(`${files.get("config.json")?.toString()}\n`);
    bench.hub.add(REPOSITORY, {
      commit: NEXT_COMMIT,
      files: new Map([...files, ["config.json", config]]),
    });
    // The pinned commit is whole and here: what main is now does not matter.
    expect((await pullModel(entry(), bench.options())).revision).toBe(COMMIT);
    const { message } = await refusal(pullModel(entry(), bench.options({ revision: "main" })));
    expect(message).toMatch(/pinned to commit aaaaaaaaaaaa and bbbbbbbbbbbb.*repin/);
    const moved = await pullModel(entry(), bench.options({ revision: "main", repin: true }));
    expect(moved.revision).toBe(NEXT_COMMIT);
    const model = await resolveModel("bge-reranker-base", {
      packageRoot: ROOT,
      modelsDir: bench.modelsDir,
    });
    expect(model.revision).toBe(NEXT_COMMIT.slice(0, 12));
  });

  it("are refused if a mirror has other bytes under the pinned commit", async () => {
    await pullModel(entry(), bench.options());
    await rm(bench.folderOf(), { recursive: true });
    bench.hub.deliverInstead(GRAPH, Buffer.alloc(graph.length, 1));
    const { message } = await refusal(pullModel(entry(), bench.options()));
    expect(message).toMatch(/is not the pinned file/);
  });

  it("are refused if the lock file itself is damaged", async () => {
    await writeFile(lockFilePath(bench.modelsDir), '{"version":1,"models":{"a":');
    const { code, message } = await refusal(pullModel(entry(), bench.options()));
    expect(code).toBe("model_unusable");
    expect(message).toMatch(/lock\.json is damaged.*restore it, or delete it/);
  });
});

describe("access to a repository", () => {
  it("is refused with a hint at HF_TOKEN if it needs a token, and granted with the token", async () => {
    bench.hub.requiredToken = "hf_secret";
    const without = await refusal(pullModel(entry(), bench.options()));
    expect(without).toMatchObject({ code: "access_denied" });
    expect(without.message).toMatch(/refuses access \(401\).*set HF_TOKEN/);
    const wrong = await refusal(pullModel(entry(), bench.options({ token: "hf_wrong" })));
    expect(wrong.message).toMatch(/HF_TOKEN may not read it/);
    expect(wrong.message).not.toContain("hf_wrong");

    bench.hub.requests.length = 0;
    await pullModel(entry(), bench.options({ token: "hf_secret" }));
    const elsewhere = bench.hub.requests.filter((request) => request.kind === "content");
    expect(elsewhere.length).toBeGreaterThan(0);
    expect(elsewhere.map((request) => request.authorization)).not.toContain("Bearer hf_secret");
  });

  it("is refused by both names if the repository or the file is missing", async () => {
    const nothing = await refusal(pullModel("no-one/nothing", bench.options()));
    expect(nothing).toMatchObject({ code: "model_not_found" });
    expect(nothing.message).toMatch(/repository no-one\/nothing has no revision main.*404/);
    const file = await refusal(
      pullModel(entry({ files: { fp32: [unknown("onnx/other.onnx")] } }), bench.options()),
    );
    expect(file.message).toContain(REPOSITORY);
    expect(file.message).toContain("onnx/other.onnx");
    const withheld = { ...unknown("onnx/gone.onnx"), sha256: "1".repeat(64) };
    const pinned = entry({
      revision: COMMIT,
      pinnedOnPull: false,
      common: [known("config.json"), known("tokenizer.json")],
      files: { fp32: [withheld] },
    });
    const gone = await refusal(pullModel(pinned, bench.options()));
    expect(gone.message).toMatch(/has no file onnx\/gone\.onnx at revision a+ .*404/);
  });

  it("needs the licence of a non-commercial model to be accepted", async () => {
    const licence = {
      name: "CC-BY-NC-4.0",
      words: "no commercial use",
      nonCommercial: true,
      url: null,
    };
    const { code, message } = await refusal(pullModel(entry({}, { licence }), bench.options()));
    expect(code).toBe("access_denied");
    expect(message).toMatch(/CC-BY-NC-4\.0 \(no commercial use\).*acceptLicence/);
    expect(bench.hub.requests).toEqual([]);
    await pullModel(entry({}, { licence }), bench.options({ acceptLicence: true }));
  });

  it("is refused, with the other way, for what cannot be pulled", async () => {
    const catalogue = await loadCatalogue(ROOT);
    const tried = ["builtin-bm25", "Qwen3-Reranker-0.6B", "jina-reranker-v3"].map((name) => {
      const found = findEntry(catalogue, name);
      return refusal(pullModel(found ?? "missing/entry", bench.options()));
    });
    const [builtin, qwen, listwise] = await Promise.all(tried);
    expect(builtin?.message).toMatch(/ships with rankmill/);
    expect(qwen?.message).toMatch(
      /cannot be pulled.*export\.py Qwen\/Qwen3-Reranker-0\.6B --output \.\/Qwen3-Reranker-0\.6B --seq-cls yes,no --prompt qwen3-reranker/,
    );
    expect(listwise?.message).toMatch(/cannot be run: .*listwise.*Use Qwen\/Qwen3-Reranker-0\.6B/);
  });
});

describe("a repository that holds no reranker", () => {
  it("is refused before its weights are downloaded", async () => {
    const config = Buffer.from(JSON.stringify({ model_type: "bert", num_labels: 3 }));
    bench.hub.add("a/classifier", {
      commit: COMMIT,
      files: new Map([...files, ["config.json", config]]),
    });
    const { code, message } = await refusal(pullModel("a/classifier", bench.options()));
    expect(code).toBe("model_unusable");
    expect(message).toMatch(/declares 3 labels/);
    expect(bench.hub.contentRequests(GRAPH)).toEqual([]);
  });

  it("is refused for its missing tokenizer or ONNX", async () => {
    bench.hub.add("a/no-tokenizer", { commit: COMMIT, files: filesWithout("tokenizer.json") });
    bench.hub.add("a/no-onnx", { commit: COMMIT, files: filesWithout(GRAPH) });
    expect((await refusal(pullModel("a/no-tokenizer", bench.options()))).message).toMatch(
      /no tokenizer\.json/,
    );
    expect((await refusal(pullModel("a/no-onnx", bench.options()))).message).toMatch(
      /no ONNX file/,
    );
  });

  it("is refused if its graph lacks the head", async () => {
    const headless = onnxBytes({
      ...CROSS_ENCODER,
      outputs: [{ name: "last_hidden_state", shape: ["b", "s", 32] }],
    });
    bench.hub.add("an/encoder", { commit: COMMIT, files: new Map([...files, [GRAPH, headless]]) });
    const { message } = await refusal(pullModel("an/encoder", bench.options()));
    expect(message).toMatch(/scoring head is missing/);
  });
});

describe("a full disk", () => {
  let mounted = false;
  let disk: string;

  beforeEach(async () => {
    disk = join(bench.modelsDir, "disk");
    await mkdir(disk);
    try {
      const size = `size=${TMPFS_BYTES}`;
      execFileSync("mount", ["-t", "tmpfs", "-o", size, "tmpfs", disk], { stdio: "pipe" });
      mounted = true;
    } catch {
      mounted = false;
    }
  });

  afterEach(() => {
    if (mounted) execFileSync("umount", [disk]);
  });

  it.each([
    ["is seen before the download if the size is known", false],
    ["stops the download if the size is not known", true],
  ])("%s", async (_what, hideContents) => {
    if (!mounted) {
      process.stderr.write("NOT TESTED: a full disk, for want of the right to mount a tmpfs\n");
      return;
    }
    const big = Buffer.concat([graph, Buffer.alloc(4 * TMPFS_BYTES)]);
    bench.hub.add(REPOSITORY, {
      commit: COMMIT,
      files: new Map([...files, [GRAPH, big]]),
      hideContents,
    });
    const { code, message } = await refusal(pullModel(entry(), bench.options({ modelsDir: disk })));
    expect(code).toBe("download_failed");
    expect(message).toMatch(/the disk is full: free .* another models folder, then pull again/);
    const partial = join(pulledModelFolder(disk, "BAAI/bge-reranker-base", COMMIT), GRAPH);
    await expect(stat(partial)).rejects.toThrow(/ENOENT/);
    expect(bench.hub.contentRequests(GRAPH).length > 0).toBe(hideContents);
  });
});
