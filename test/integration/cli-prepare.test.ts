/** `rankmill models prepare` on a machine that has nothing yet: what an init container does. */
import { readdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { Bench, FRESH_CACHE, words } from "../support/cli.js";
import { COMMIT, files, REPOSITORY, usePullBench } from "../support/pull-bench.js";

const hub = usePullBench();

async function prepare(bench: Bench, more: string): ReturnType<Bench["run"]> {
  return await bench.run([
    "models",
    "prepare",
    REPOSITORY,
    ...words(`--models-dir ${hub.modelsDir} --hub-endpoint ${hub.hub.endpoint} ${more}`),
  ]);
}

describe("models prepare", () => {
  it("leaves nothing to do if it pulls and calibrates, and does nothing the second time", async () => {
    const bench = await Bench.open(FRESH_CACHE);
    const first = await prepare(bench, "--pull --calibrate --json");
    expect(first.code, first.stderr).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ model: REPOSITORY, reused: false });
    const cache = bench.path(".cache/rankmill");
    expect(await readdir(`${cache}/prepared`)).toHaveLength(1);
    expect(await readdir(`${cache}/calibration`)).toHaveLength(1);

    const asked = hub.hub.requests.length;
    const second = await prepare(bench, "--pull --calibrate --json");
    expect(second.code, second.stderr).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject({ reused: true });
    expect(hub.hub.requests).toHaveLength(asked);
    expect(second.stderr).not.toContain("calibrated");
    await bench.close();
  });

  it("fetches another precision of a model that is here if it may pull", async () => {
    const bench = await Bench.open(FRESH_CACHE);
    const graph = files.get("onnx/model.onnx") ?? Buffer.alloc(0);
    hub.hub.add(REPOSITORY, {
      commit: COMMIT,
      files: new Map([...files, ["onnx/model_fp16.onnx", graph]]),
    });
    expect((await prepare(bench, "--pull --json")).code).toBe(0);
    const other = await prepare(bench, "--pull --precision fp16 --json");
    expect(other.code, other.stderr).toBe(0);
    expect(JSON.parse(other.stdout)).toMatchObject({ precision: "fp16" });
    await bench.close();
  });

  it("opens no socket unless it may pull, and never pulls a folder", async () => {
    const bench = await Bench.open(FRESH_CACHE);
    const unpulled = await prepare(bench, "");
    expect(unpulled.code).toBe(2);
    expect(unpulled.stderr).toContain("rankmill models pull");
    const folder = await bench.run(["models", "prepare", "/models/none", "--pull"]);
    expect(folder.code).toBe(2);
    expect((await bench.run(["models", "pull", "/models/none"])).code).toBe(0);
    expect(hub.hub.connections).toBe(0);
    await bench.close();
  });
});
