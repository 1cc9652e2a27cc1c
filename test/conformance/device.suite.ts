import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planLanes } from "../../src/capacity/plan-lanes.js";
import type { LanePlan } from "../../src/capacity/lane-plan.js";
import { DEVICE_CHOICES } from "../../src/inference/devices/decide-device.js";
import type { Device, FoundDevice } from "../../src/inference/devices/device.js";
import { deviceOf, DEVICES, type DeviceKind } from "../../src/inference/devices/registry.js";
import { LaneProcess } from "../../src/inference/lanes/lane-process.js";
import { sessionOptions } from "../../src/inference/session/session-options.js";
import { resolveModel } from "../../src/models/resolve.js";
import { FIXTURE_TOKENIZER, fixtureFolder, laneOptions, randomPair } from "../support/lanes.js";
import { SeededRandom } from "../support/random.js";

/** Words of a device's failures, as its runtime and driver write them. */
export interface DeviceFailures {
  readonly outOfMemory: readonly string[];
  /** Failures after which the process is lost, each with what must be said of it. */
  readonly broken: readonly (readonly [text: string, said: string])[];
}

/** A lane that answers each message with one failure. */
const FAILING_LANE = (text: string): string => `
  process.on("disconnect", () => process.exit());
  process.on("message", (message) => {
    if (message.type === "open") process.send({ type: "ready", openMs: 1, residentBytes: 1 });
    else process.send({ type: "failed", seq: message.seq, message: ${JSON.stringify(text)} });
  });`;

/** Failures of every runtime and device. */
const HOST_OUT_OF_MEMORY = "std::bad_alloc";
const ORDINARY = "Invalid rank for input: input_ids Got: 3 Expected: 2";

/** The facts that hold of every device; a new one calls this with its own failures. */
export function testDevice(
  device: Device & { readonly kind: DeviceKind },
  { outOfMemory, broken }: DeviceFailures,
): void {
  describe(`the device ${device.kind}`, () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "rankmill-device-"));
    });
    afterAll(async () => {
      await rm(folder, { recursive: true, force: true });
    });

    it("is registered under its kind, which the command line offers", () => {
      expect(device.kind).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(DEVICES).toContain(device);
      expect(deviceOf(device.kind)).toBe(device);
      expect(DEVICE_CHOICES).toContain(device.kind);
    });

    it("prefers a precision that it has kernels for", () => {
      expect(device.precisions.length).toBeGreaterThan(0);
      for (const one of device.precisions) expect(device.lackedPrecisions).not.toContain(one);
    });

    it("changes nothing of a lane's environment but the paths of its own libraries", () => {
      const env = Object.freeze({ PATH: "/bin", LD_LIBRARY_PATH: "/elsewhere", EMPTY: undefined });
      expect(device.laneEnv(env, { kind: device.kind })).toEqual(env);
      const found: FoundDevice = { kind: device.kind, cards: 1, libraryDir: "/libraries" };
      const { LD_LIBRARY_PATH: path, ...rest } = device.laneEnv(env, found);
      expect(rest).toEqual({ PATH: "/bin", EMPTY: undefined });
      expect(path?.split(":").at(-1), "what was there stays, last").toBe("/elsewhere");
    });

    it("gives a session one provider: another per card, if it has cards", () => {
      const providers = [0, 1].map((card) => {
        const model = { ...laneOptions("bert").model, device: device.kind, card };
        return sessionOptions(model).executionProviders ?? [];
      });
      expect(providers.map(({ length }) => length)).toEqual([1, 1]);
      const distinct = new Set(providers.map((one) => JSON.stringify(one)));
      expect(distinct.size).toBe(device.memory.kind === "own" ? 2 : 1);
    });

    it.each([HOST_OUT_OF_MEMORY, ...outOfMemory])(
      "recognises memory that ran out, which leaves the process whole: %s",
      (text) => {
        expect(device.saysOutOfMemory(text)).toBe(true);
        expect(device.whatBroke(text)).toBeUndefined();
      },
    );

    it("recognises an ordinary failure", () => {
      expect(device.saysOutOfMemory(ORDINARY)).toBe(false);
      expect(device.whatBroke(ORDINARY)).toBeUndefined();
    });

    it("works, or says in one line each what is missing and what to do", async () => {
      const places = { env: {}, setupDirs: { [device.kind]: join(folder, "nothing") } };
      const state = await device.find(places);
      if (state.status === "works") return;
      for (const line of [state.reason, state.remedy]) expect(line).toMatch(/^[^\n]+$/);
    });

    it("has a plan within the memory limit, with as many lanes as it has cards", async () => {
      const plan = await planFor(device.kind);
      expect(plan.keepsBits && !device.keepsBits, "more than the device can").toBe(false);
      expect(plan.laneModel.device).toBe(device.kind);
      expect(plan.maxJobBytes).toBeGreaterThan(0);
      if (device.memory.kind === "shared") return;
      expect(plan.lanes).toBe(3);
      expect(plan.laneModel.warmUp?.rows).toBeGreaterThan(0);
      expect(plan.limits).toMatchObject({
        maxBatchTokens: device.memory.maxBatchTokens,
        maxBatchSize: device.memory.maxBatchSize,
      });
    });

    it("keeps a lane whose batch failed", async () => {
      expect(await afterFailure(ORDINARY)).toEqual({ alive: true });
      expect(await afterFailure(HOST_OUT_OF_MEMORY)).toEqual({ alive: true });
    });

    it.each(broken.map(([text, said]) => [said, text] as const))(
      "ends a lane that can never work again: %s",
      async (said, text) => {
        expect(device.whatBroke(text)).toBe(said);
        expect(await afterFailure(text)).toEqual({ alive: false, reason: said });
      },
    );

    async function afterFailure(
      text: string,
    ): Promise<{ readonly alive: boolean; readonly reason?: string }> {
      const entryPath = join(folder, "failing-lane.mjs");
      await writeFile(entryPath, FAILING_LANE(text));
      const options = laneOptions("bert", "model.onnx", { entryPath });
      const model = { ...options.model, device: device.kind };
      const lane = await LaneProcess.start(0, { ...options, model });
      const pair = randomPair(new SeededRandom(5), 12);
      await expect(lane.score([[pair]])).rejects.toThrow(/\S/);
      if (!lane.alive) return { alive: false, reason: await lane.died };
      await lane.drain("the test is over");
      return { alive: true };
    }

    async function planFor(kind: DeviceKind): Promise<LanePlan> {
      const model = await resolveModel(fixtureFolder("bert"), { packageRoot: folder });
      return await planLanes({
        model,
        device: { kind, cards: device.memory.kind === "own" ? 3 : undefined },
        laneModel: { ...laneOptions("bert").model, device: kind },
        env: process.env,
        tokenizer: FIXTURE_TOKENIZER,
        maxJobBytes: 1_000_000,
        memoryLimitBytes: 8 * 1024 ** 3,
        logger: pino({ level: "silent" }),
      });
    }
  });
}
