import { mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ONNX_RUNTIME } from "../../src/inference/runtime/onnx-runtime.js";
import { OPENVINO } from "../../src/inference/runtime/openvino/openvino.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LaneProcess } from "../../src/inference/lanes/lane-process.js";
import { laneOptions, randomPair } from "../support/lanes.js";
import { bf16Cpu, given, openvino, OPENVINO_DIR } from "../support/needs.js";
import { SeededRandom } from "../support/random.js";
import { testRuntime } from "./runtime.suite.js";
import { testRuntimeMemory } from "./runtime-memory.suite.js";

testRuntime(ONNX_RUNTIME, {
  found: { kind: "onnxruntime" },
  needs: [],
  outOfMemory: [
    "bfc_arena.cc:368 Failed to allocate memory for requested buffer of size 939524096",
  ],
});

testRuntime(OPENVINO, {
  found: { kind: "openvino", libraryDir: OPENVINO_DIR },
  needs: [openvino],
  refuses: ["deberta-v2"],
  outOfMemory: [
    "std::bad_alloc",
    "Could not allocate memory",
    "OpenVINO said that it ran the batch and wrote no output: most likely it ran out of memory",
  ],
});

testRuntimeMemory({ kind: "onnxruntime" }, []);
testRuntimeMemory({ kind: "openvino", libraryDir: OPENVINO_DIR }, [openvino]);

describe("libraries of OpenVINO that are damaged", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rankmill-damaged-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  async function open(more: { readonly entryPath?: string }): Promise<unknown> {
    const options = laneOptions("bert");
    const runtime = { kind: "openvino", libraryDir: folder } as const;
    const model = { ...options.model, runtime };
    return await LaneProcess.start(0, { ...options, model, ...more });
  }

  it("are no fault of the model if the loader refuses one", given(openvino), async () => {
    for (const name of (await readdir(OPENVINO_DIR)).filter((one) => one.startsWith("lib"))) {
      const isPlugin = name.endsWith("_plugin.so");
      if (isPlugin) await writeFile(join(folder, name), Buffer.alloc(4_096));
      else await symlink(join(OPENVINO_DIR, name), join(folder, name));
    }
    await expect(open({})).rejects.toMatchObject({
      code: "missing_dependency",
      message: expect.stringMatching(
        /^OpenVINO cannot be loaded \(.*_plugin\.so.*\): run "rankmill setup openvino" again$/,
      ) as string,
    });
  });

  it("are thought of if a lane crashes before it is ready", async () => {
    const entryPath = join(folder, "crash.mjs");
    await writeFile(entryPath, 'process.kill(process.pid, "SIGSEGV");');
    await expect(open({ entryPath })).rejects.toThrow(
      'did not start: killed by SIGSEGV; run "rankmill setup openvino", which verifies its libraries',
    );
  });
});

describe("bf16 on OpenVINO", () => {
  const PAIR = randomPair(new SeededRandom(3), 40);

  async function logitOf(bf16: boolean): Promise<number> {
    const options = laneOptions("bert");
    const runtime = { kind: "openvino", libraryDir: OPENVINO_DIR, bf16 } as const;
    const lane = await LaneProcess.start(0, { ...options, model: { ...options.model, runtime } });
    try {
      return (await lane.score([[PAIR]]))[0]?.[0] ?? Number.NaN;
    } finally {
      await lane.drain("the test is over");
    }
  }

  it("gives logits near those of fp32, and not the same", given(openvino, bf16Cpu), async () => {
    const [fp32, bf16] = [await logitOf(false), await logitOf(true)];
    expect(bf16).not.toBe(fp32);
    expect(Math.abs(bf16 - fp32)).toBeLessThan(0.1);
  });

  it.skipIf(!openvino.isMet || bf16Cpu.isMet)(
    "is refused by a lane whose CPU would compute fp32 instead",
    async () => {
      await expect(logitOf(true)).rejects.toThrow(
        "OpenVINO computes it in f32 on this CPU, not in bf16",
      );
    },
  );
});
