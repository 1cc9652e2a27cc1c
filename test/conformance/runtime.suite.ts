import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EncodedPair } from "../../src/core/pair.js";
import { FORMS } from "../../src/core/forms/registry.js";
import { deviceOf } from "../../src/inference/devices/registry.js";
import type { LaneModel } from "../../src/inference/lanes/lane-protocol.js";
import { moveWeights } from "../../src/inference/prepare/move-weights.js";
import { runPreparer } from "../../src/inference/prepare/prepare-process.js";
import { LaneProcess } from "../../src/inference/lanes/lane-process.js";
import { RUNTIME_CHOICES } from "../../src/inference/runtime/decide-runtime.js";
import {
  DEFAULT_RUNTIME,
  runtimeForForm,
  runtimeOf,
  RUNTIMES,
  type RuntimeKind,
  type WorkerRuntime,
} from "../../src/inference/runtime/registry.js";
import type { Runtime } from "../../src/inference/runtime/runtime.js";
import { laneOptions, PREPARE_ENTRY, randomPair, type FixtureModel } from "../support/lanes.js";
import { readOnnxOutline } from "../../src/models/onnx/onnx-outline.js";
import { given, type Need } from "../support/needs.js";
import { SeededRandom } from "../support/random.js";
import { testLane } from "./lane.suite.js";

export interface RuntimeCase {
  /** The runtime as it is found on this machine. */
  readonly found: WorkerRuntime;
  /** Needs of the tests that load it. */
  readonly needs: readonly Need[];
  /** Models that it has no operators for. */
  readonly refuses?: readonly FixtureModel[];
  /** Words in which it says that memory ran out. */
  readonly outOfMemory: readonly string[];
}

const MODELS: readonly FixtureModel[] = ["bert", "xlm-roberta", "modernbert", "deberta-v2"];
/** The largest difference of logits of some units: float32 summed in another order. */
const TOLERANCE = 1e-4;
const LENGTHS = [3, 8, 9, 31, 64, 65];

/** The facts that hold of every runtime; a new one calls this. */
export function testRuntime(
  runtime: Runtime & { readonly kind: RuntimeKind },
  { found, needs, refuses = [], outOfMemory }: RuntimeCase,
): void {
  const { kind } = runtime;
  describe(`the runtime ${kind}`, () => {
    it("is registered under its kind, which the command line offers", () => {
      expect(kind).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(RUNTIMES).toContain(runtime);
      expect(runtimeOf(kind)).toBe(runtime);
      expect(RUNTIME_CHOICES).toContain(kind);
    });

    it("has a numeric form of its own, unless its scores are the file's own numbers", () => {
      expect(runtimeForForm(runtime.form)).toBe(runtime);
      const forms = kind === DEFAULT_RUNTIME.kind ? [undefined] : FORMS.map(({ name }) => name);
      expect(forms).toContain(runtime.form);
    });

    it("is found, or says in one line each what is missing and what to do", async () => {
      const state = await runtime.find({ setupDirs: { [kind]: "/nothing/there" } });
      if (state.status === "works") return;
      for (const line of [state.reason, state.remedy]) expect(line).toMatch(/^[^\n]+$/);
    });

    it("knows its version without being loaded", async () => {
      expect(await runtime.version()).toMatch(/^\d+\.\d+/);
    });

    it("pads to few lengths, none much longer than the row, if it keeps something of each", () => {
      const lengths = runtime.lengths?.(8_192) ?? [];
      expect(lengths.length).toBeLessThan(300);
      for (const [i, length] of lengths.entries()) {
        const before = lengths[i - 1] ?? 0;
        expect(length - before).toBeLessThanOrEqual(Math.max(8, before / 32));
      }
    });

    it.each(outOfMemory)("says that memory ran out in words that are known: %s", (text) => {
      expect(deviceOf("cpu").saysOutOfMemory(text)).toBe(true);
    });
  });

  describe(`a lane with the runtime ${kind}`, given(...needs), () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "rankmill-runtime-"));
    });
    afterAll(async () => {
      await rm(folder, { recursive: true, force: true });
    });

    const run = MODELS.filter((model) => !refuses.includes(model));
    it.each(run)("gives ONNX Runtime's logits, alone and padded together: %s", async (model) => {
      const random = new SeededRandom(7);
      const pairs = LENGTHS.map((length) => randomPair(random, length));
      const expected = await logitsOf(model, DEFAULT_RUNTIME, pairs);
      const got = await logitsOf(model, found, pairs);
      for (const [i, logit] of got.entries()) {
        expect(Math.abs(logit - (expected[i] ?? Number.NaN))).toBeLessThan(TOLERANCE);
      }
      expect(new Set(got).size).toBe(got.length);
    });

    it("gives a pair the same bits each time, whatever ran between", async () => {
      const random = new SeededRandom(11);
      const [first, ...others] = LENGTHS.map((length) => randomPair(random, length));
      if (first === undefined) throw new Error("no pair");
      const pairs = [first, ...others, first, ...others.toReversed(), first];
      const logits = await logitsOf("bert", found, pairs, 1);
      const firsts = [0, LENGTHS.length, pairs.length - 1].map((at) => logits[at]);
      expect(new Set(firsts).size).toBe(1);
    });

    it.each(refuses)("refuses in one line a model that it cannot run: %s", async (model) => {
      const { code, message } = await openingFails(found, laneOptions(model).model.onnxPath);
      expect(code).toBe("model_unusable");
      expect(message).toMatch(/^the model cannot be used: [^\n]+$/);
    });

    it.each(["within", "outside"] as const)(
      "prepares files from which a lane gives the same logits: weights %s the graph",
      async (place) => {
        const random = new SeededRandom(13);
        const pairs = LENGTHS.map((length) => randomPair(random, length));
        const within = laneOptions("bert").model;
        const onnxPath = join(folder, "outside.onnx");
        if (place === "outside")
          await moveWeights(within.onnxPath, { onnxPath, dataName: "outside.data" });
        const model = place === "within" ? within : { ...within, onnxPath };
        const save = {
          onnxPath: join(folder, `prepared-${place}.onnx`),
          dataName: `prepared-${place}.data`,
        };
        const { unmasked } = await runPreparer(
          { model: { ...model, runtime: found }, save },
          { entryPath: PREPARE_ENTRY, env: process.env, timeoutMs: 60_000 },
        );
        const prepared = { onnxPath: save.onnxPath, prepared: true, unmasked };
        const expected = await logitsOf("bert", found, pairs, 1);
        const got = await logitsOf("bert", found, pairs, 1, prepared);
        for (const [i, logit] of got.entries()) {
          expect(Math.abs(logit - (expected[i] ?? Number.NaN))).toBeLessThan(TOLERANCE);
        }
        // Its files are whole without the original's.
        const { externalData } = readOnnxOutline(save.onnxPath);
        for (const name of externalData.keys()) expect(name).toBe(save.dataName);
      },
    );

    it("refuses a damaged file in one line that says what is wrong", async () => {
      const onnxPath = join(folder, "model.onnx");
      await writeFile(onnxPath, "no model");
      const { message, code } = await openingFails(found, onnxPath);
      expect(code).toBe("model_unusable");
      expect(message).toMatch(/^the model cannot be used: [^\n]+$/);
    });

    it("refuses a file that is not there in one line", async () => {
      const { message } = await openingFails(found, join(folder, "none.onnx"));
      expect(message).toMatch(/none\.onnx[^\n]*$/);
    });
  });

  describe.skipIf(needs.some(({ isMet }) => !isMet))(`the rules of lanes, with ${kind}`, () => {
    testLane(`of a process that runs ${kind}`, async () => {
      const options = laneOptions("bert");
      const lane = await LaneProcess.start(0, {
        ...options,
        model: { ...options.model, runtime: found },
      });
      return {
        lane,
        freeze: () => void process.kill(lane.pid, "SIGSTOP"),
        kill: (reason) => lane.kill(reason),
        close: async () => await lane.drain("the test is over"),
      };
    });
  });
}

async function openingFails(
  runtime: WorkerRuntime,
  onnxPath: string,
): Promise<{ readonly code: string; readonly message: string }> {
  const options = laneOptions("bert");
  const opened = LaneProcess.start(0, {
    ...options,
    model: { ...options.model, runtime, onnxPath },
  });
  return await opened.then(
    (lane) => {
      lane.kill();
      throw new Error("it was opened");
    },
    (error: { code: string; message: string }) => error,
  );
}

/** @param rows pairs per batch; default all of them */
async function logitsOf(
  fixture: FixtureModel,
  runtime: WorkerRuntime,
  pairs: readonly EncodedPair[],
  rows = pairs.length,
  more: Partial<LaneModel> = {},
): Promise<number[]> {
  const options = laneOptions(fixture);
  const lengthBuckets = runtimeOf(runtime.kind).lengths?.(128);
  const model = {
    ...options.model,
    runtime,
    ...more,
    ...(lengthBuckets === undefined ? {} : { lengthBuckets }),
  };
  const lane = await LaneProcess.start(0, { ...options, model });
  try {
    const batches = pairs.flatMap((_, i) => (i % rows === 0 ? [pairs.slice(i, i + rows)] : []));
    return (await lane.score(batches)).flat();
  } finally {
    await lane.drain("the test is over");
  }
}
