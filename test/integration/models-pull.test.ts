import { mkdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { Socket } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { hashFile } from "../../src/models/digest.js";
import { readLock } from "../../src/models/lock-file.js";
import { lockFilePath } from "../../src/models/model-cache.js";
import { pullModel } from "../../src/models/pull/pull.js";
import type { PullProgress } from "../../src/models/pull/pull.js";
import { listModels, resolveModel } from "../../src/models/resolve.js";
import { CROSS_ENCODER, onnxBytes } from "../support/onnx-bytes.js";
import {
  COMMIT,
  entry,
  files,
  graph,
  GRAPH,
  leftovers,
  refusal,
  REPOSITORY,
  ROOT,
  sha256,
  usePullBench,
} from "../support/pull-bench.js";

const bench = usePullBench();

describe("a first pull", () => {
  it("brings the files, pins them and is found by name, alias and offline", async () => {
    const steps: PullProgress[] = [];
    const pulled = await pullModel(
      entry(),
      bench.options({ onProgress: (step) => steps.push(step) }),
    );
    expect(pulled).toMatchObject({ id: "BAAI/bge-reranker-base", revision: COMMIT });
    expect(await hashFile(join(pulled.folder, GRAPH))).toBe(sha256(graph));
    expect(await leftovers(bench.modelsDir)).toEqual([]);

    const lock = await readLock(lockFilePath(bench.modelsDir));
    expect(lock.models["BAAI/bge-reranker-base"]).toMatchObject({
      repository: REPOSITORY,
      revision: COMMIT,
      files: { [GRAPH]: { sha256: sha256(graph), bytes: graph.length } },
    });

    const last = steps.at(-1);
    const total = [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
    expect(last).toMatchObject({ phase: "verified", path: GRAPH, bytes: total, totalBytes: total });

    for (const name of ["BAAI/bge-reranker-base", "bge-reranker-base"]) {
      const model = await resolveModel(name, { packageRoot: ROOT, modelsDir: bench.modelsDir });
      expect(model).toMatchObject({
        name: "BAAI/bge-reranker-base",
        revision: COMMIT.slice(0, 12),
        onnxPath: join(pulled.folder, GRAPH),
      });
    }
    const listed = await listModels({ packageRoot: ROOT, modelsDir: bench.modelsDir });
    expect(listed.find((model) => model.name === "BAAI/bge-reranker-base")).toMatchObject({
      atHand: true,
      precisions: ["fp32"],
      revision: COMMIT.slice(0, 12),
    });
  });

  it("of a model whose file names nobody has seen reads its repository, and pins what it finds", async () => {
    const repository = "onnx-hands/unseen";
    const found = new Map([...files].map(([path, bytes]) => [path.replace("onnx/", ""), bytes]));
    bench.hub.add(repository, { commit: COMMIT, files: found });
    const unseen = entry(
      { repository, files: null },
      { prompt: null, head: { kind: "logit", scale: 0.2 } },
    );
    const pulled = await pullModel(unseen, bench.options());
    const paths = pulled.files.map(({ path }) => path).sort();
    expect(paths).toEqual([
      "config.json",
      "model.onnx",
      "rankmill.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    const { models } = await readLock(lockFilePath(bench.modelsDir));
    expect(Object.keys(models[unseen.id]?.files ?? {}).sort()).toEqual(paths);
    const places = { packageRoot: ROOT, modelsDir: bench.modelsDir };
    const before = await resolveModel(unseen.id, places);
    expect(before).toMatchObject({ revision: COMMIT.slice(0, 12), head: { scale: 0.2 } });

    await rm(join(pulled.folder, "rankmill.json"));
    const gone = await refusal(resolveModel(unseen.id, places));
    expect(gone.message).toMatch(/rankmill\.json was pulled and is gone.*rankmill models pull/);
    await pullModel(unseen, bench.options());
    expect((await resolveModel(unseen.id, places)).digest).toBe(before.digest);
  });

  it("is another revision once somebody puts a rankmill.json beside it", async () => {
    const pulled = await pullModel(entry(), bench.options());
    const places = { packageRoot: ROOT, modelsDir: bench.modelsDir };
    const before = await resolveModel("bge-reranker-base", places);
    await writeFile(join(pulled.folder, "rankmill.json"), '{"activation":"identity"}');
    const after = await resolveModel("bge-reranker-base", places);
    expect(after).toMatchObject({ activation: "identity", revision: after.digest.slice(0, 12) });
    expect(after.revision).not.toBe(before.revision);
  });

  it("is not repeated: the second asks for nothing", async () => {
    await pullModel(entry(), bench.options());
    bench.hub.requests.length = 0;
    const again = await pullModel(entry(), bench.options());
    expect(again.files.every((file) => !file.fetched)).toBe(true);
    expect(bench.hub.requests).toEqual([]);
  });

  it("mends a file that was changed here, which resolving refuses", async () => {
    const pulled = await pullModel(entry(), bench.options());
    const damaged = Buffer.from(graph);
    damaged[graph.length - 10] = (damaged[graph.length - 10] ?? 0) ^ 1;
    await writeFile(join(pulled.folder, GRAPH), damaged);
    const { message } = await refusal(
      resolveModel("bge-reranker-base", { packageRoot: ROOT, modelsDir: bench.modelsDir }),
    );
    expect(message).toMatch(/is not the file that was pulled.*rankmill models pull/);
    await pullModel(entry(), bench.options());
    expect(await hashFile(join(pulled.folder, GRAPH))).toBe(sha256(graph));
  });

  it("finds the graph and its external data in a repository outside the catalogue", async () => {
    const external = [{ location: "model_int8.onnx_data", offset: 0, length: 9 }];
    const id = "somebody/other-reranker";
    bench.hub.add(id, {
      commit: COMMIT,
      files: new Map([
        ...files,
        ["onnx/model_int8.onnx", onnxBytes({ ...CROSS_ENCODER, external })],
        ["onnx/model_int8.onnx_data", Buffer.from("nine byte")],
        ["pytorch_model.bin", Buffer.from("not wanted")],
      ]),
    });
    const pulled = await pullModel(id, bench.options({ precision: "int8" }));
    expect(pulled.files.map((file) => file.path)).toEqual([
      "config.json",
      "tokenizer.json",
      "tokenizer_config.json",
      "onnx/model_int8.onnx",
      "onnx/model_int8.onnx_data",
    ]);
    const places = { packageRoot: ROOT, modelsDir: bench.modelsDir, precision: "int8" } as const;
    expect(await resolveModel(id, places)).toMatchObject({ name: id, precision: "int8" });
    const missing = await refusal(pullModel(id, bench.options({ precision: "fp16" })));
    expect(missing.message).toMatch(/no fp16 file, only fp32, int8/);
  });

  it("adds a second precision to the first one's pins", async () => {
    const int8 = onnxBytes(CROSS_ENCODER);
    bench.hub.add(REPOSITORY, {
      commit: COMMIT,
      files: new Map([...files, ["model_int8.onnx", int8]]),
    });
    await pullModel(entry(), bench.options());
    await pullModel(entry(), bench.options({ precision: "int8" }));
    const lock = await readLock(lockFilePath(bench.modelsDir));
    const pinned = Object.keys(lock.models["BAAI/bge-reranker-base"]?.files ?? {});
    expect(pinned).toEqual(expect.arrayContaining([GRAPH, "model_int8.onnx"]));
  });

  it("works with a mirror that lists names alone, and pins what came", async () => {
    bench.hub.add(REPOSITORY, { commit: COMMIT, files, hideContents: true });
    const pulled = await pullModel(entry(), bench.options());
    expect(pulled.files.find((file) => file.path === GRAPH)?.sha256).toBe(sha256(graph));
  });

  it("takes from the cache of other hub tools what it holds already", async () => {
    const hubCacheDir = join(bench.modelsDir, "hub");
    const snapshot = `models--${REPOSITORY.replace("/", "--")}/snapshots/${COMMIT}`;
    const cached = join(hubCacheDir, snapshot, GRAPH);
    await mkdir(dirname(cached), { recursive: true });
    await writeFile(cached, graph);
    await pullModel(entry(), bench.options({ hubCacheDir }));
    expect(bench.hub.contentRequests(GRAPH)).toEqual([]);
    expect(await hashFile(join(bench.folderOf(), GRAPH))).toBe(sha256(graph));
  });
});

describe("a transfer that breaks", () => {
  const half = Math.floor(graph.length / 2);

  it("goes on from the byte where it broke", async () => {
    bench.hub.befall(GRAPH, { kind: "hold", afterBytes: half }, { kind: "hold", afterBytes: 10 });
    const onProgress = (step: PullProgress): void => {
      if (step.path === GRAPH && [half, half + 10].includes(step.fileBytes)) bench.hub.cut();
    };
    await pullModel(entry(), bench.options({ onProgress }));
    expect(await hashFile(join(bench.folderOf(), GRAPH))).toBe(sha256(graph));
    const ranges = bench.hub.requests
      .filter((request) => request.kind === "content" && request.path === GRAPH)
      .map((request) => request.range);
    expect(ranges).toEqual([undefined, `bytes=${half}-`, `bytes=${half + 10}-`]);
  });

  it("goes on in a later pull after the first was cancelled", async () => {
    bench.hub.befall(GRAPH, { kind: "hold", afterBytes: half });
    const abort = new AbortController();
    const cancelled = pullModel(
      entry(),
      bench.options({
        signal: abort.signal,
        onProgress: (step) => {
          if (step.path === GRAPH && step.fileBytes >= half) abort.abort(new Error("Ctrl-C"));
        },
      }),
    );
    expect(await refusal(cancelled)).toMatchObject({ code: "cancelled" });
    expect((await stat(join(bench.folderOf(), `${GRAPH}.partial`))).size).toBe(half);
    await expect(stat(join(bench.folderOf(), GRAPH))).rejects.toThrow(/ENOENT/);

    bench.hub.requests.length = 0;
    await pullModel(entry(), bench.options());
    expect(bench.hub.contentRequests(GRAPH).at(-1)?.range).toBe(`bytes=${half}-`);
    expect(await hashFile(join(bench.folderOf(), GRAPH))).toBe(sha256(graph));
  });

  it("starts again if the server cannot send a part", async () => {
    bench.hub.ignoreRanges = true;
    bench.hub.befall(GRAPH, { kind: "break", afterBytes: half });
    await pullModel(entry(), bench.options());
    expect(await hashFile(join(bench.folderOf(), GRAPH))).toBe(sha256(graph));
  });

  it("starts again if the bytes that lay here were never part of this file", async () => {
    const partial = join(bench.folderOf(), `${GRAPH}.partial`);
    await mkdir(dirname(partial), { recursive: true });
    await writeFile(partial, Buffer.alloc(half, 7));
    await pullModel(entry(), bench.options());
    expect(await hashFile(join(bench.folderOf(), GRAPH))).toBe(sha256(graph));
    await rm(bench.folderOf(), { recursive: true });
    await mkdir(dirname(partial), { recursive: true });
    await writeFile(partial, Buffer.alloc(graph.length + 100, 7));
    await pullModel(entry(), bench.options());
    expect(await hashFile(join(bench.folderOf(), GRAPH))).toBe(sha256(graph));
  });

  it("is tried again after a busy server", async () => {
    bench.hub.befall(GRAPH, { kind: "status", status: 503 }, { kind: "status", status: 429 });
    await pullModel(entry(), bench.options());
    expect(await hashFile(join(bench.folderOf(), GRAPH))).toBe(sha256(graph));
  });

  it("is given up after a while, with what is here and what to do", async () => {
    bench.hub.befall(
      GRAPH,
      { kind: "break", afterBytes: half },
      ...Array.from({ length: 20 }, () => ({ kind: "status", status: 502 }) as const),
    );
    const { code, message } = await refusal(pullModel(entry(), bench.options()));
    expect(code).toBe("download_failed");
    expect(message).toMatch(/502.*check the network and HF_ENDPOINT.*goes on from byte \d+/);
  });

  it("names the hub that cannot be reached", async () => {
    const unreachable = bench.options();
    await bench.hub.close();
    const { code, message } = await refusal(pullModel(entry(), unreachable));
    expect(code).toBe("download_failed");
    expect(message).toMatch(/127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\).*HF_ENDPOINT/);
  });
});

describe("offline", () => {
  it("opens no socket, uses what is here, and says what is not", async () => {
    await pullModel(entry(), bench.options());
    await pullModel("onnx-hands/example-reranker-ONNX", bench.options());
    const connect = vi.spyOn(Socket.prototype, "connect");
    const before = bench.hub.connections;
    const pulled = await pullModel(entry(), bench.options({ offline: true }));
    expect(pulled.files.every((file) => !file.fetched)).toBe(true);
    await pullModel("onnx-hands/example-reranker-ONNX", bench.options({ offline: true }));

    const int8 = await refusal(
      pullModel(entry(), bench.options({ offline: true, precision: "int8" })),
    );
    expect(int8).toMatchObject({ code: "model_not_found" });
    expect(int8.message).toMatch(/int8\) was not pulled.*offline mode/);
    await rm(join(bench.folderOf(), GRAPH));
    const missing = await refusal(pullModel(entry(), bench.options({ offline: true })));
    expect(missing.message).toMatch(/model\.onnx is missing.*offline mode/);
    await refusal(pullModel("some/model", bench.options({ offline: true })));

    expect(bench.hub.connections).toBe(before);
    expect(connect).not.toHaveBeenCalled();
  });
});

describe("concurrent pulls", () => {
  it("download each file of one model once", async () => {
    bench.hub.befall(GRAPH, { kind: "hold", afterBytes: 100 });
    const phases: string[] = [];
    const first = pullModel(entry(), bench.options());
    await vi.waitFor(() => {
      expect(bench.hub.contentRequests(GRAPH).length).toBeGreaterThan(0);
    });
    const second = pullModel(
      entry(),
      bench.options({ onProgress: (step) => phases.push(`${step.phase} ${step.path}`) }),
    );
    await vi.waitFor(() => {
      expect(phases).toContain("waiting ");
    });
    bench.hub.release();
    const [one, two] = await Promise.all([first, second]);
    expect(one.files.filter((file) => file.fetched)).toHaveLength(4);
    expect(two.files.filter((file) => file.fetched)).toHaveLength(0);
    expect(bench.hub.requests.filter((request) => request.kind === "resolve")).toHaveLength(4);
  });

  it("all end up in the lock file if they are of several models", async () => {
    const ids = ["a/one", "b/two", "c/three", "d/four"];
    for (const id of ids) bench.hub.add(id, { commit: COMMIT, files });
    await Promise.all(ids.map((id) => pullModel(id, bench.options())));
    expect(Object.keys((await readLock(lockFilePath(bench.modelsDir))).models)).toEqual(ids);
  });

  it("do not wait for a process that died", async () => {
    const claim = `${bench.folderOf()}.claim`;
    await mkdir(dirname(claim), { recursive: true });
    await writeFile(claim, "left by a dead process");
    const longAgo = new Date(Date.now() - 10 * 60_000);
    await utimes(claim, longAgo, longAgo);
    await pullModel(entry(), bench.options());
    expect(await leftovers(bench.modelsDir)).toEqual([]);
  });
});
