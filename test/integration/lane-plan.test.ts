import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/platform/package-root.js";
import { resolveModel, type ResolvedModel } from "../../src/models/resolve.js";
import { planLanes } from "../../src/capacity/plan-lanes.js";
import type { LanePlan, LanePlanOptions } from "../../src/capacity/lane-plan.js";
import { runtimeOf } from "../../src/inference/runtime/registry.js";
import type { LaneModel } from "../../src/inference/lanes/lane-protocol.js";
import type { PlannedTokenizer } from "../../src/capacity/tokenizer-memory.js";
import { FIXTURE_TOKENIZER, fixtureFolder, LANE_ENTRY, laneOptions } from "../support/lanes.js";

const MIB = 1024 * 1024;
const NO_LANE = "/nonexistent/lane.js";
const folders: string[] = [];
let calibrationDir: string;
let said: string[];
/** Figures of the last plan, as the log has them. */
let figures: object;

beforeEach(async () => {
  calibrationDir = await freshFolder();
});
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rankmill-plan-"));
  folders.push(folder);
  return folder;
}

async function bert(precision: "fp32" | "int8" = "fp32"): Promise<ResolvedModel> {
  return await resolveModel(fixtureFolder("bert"), {
    packageRoot: packageRoot(),
    precision,
    int8Form: "file",
  });
}

async function sharing(prefixBytesPerToken: number): Promise<ResolvedModel> {
  const model = await bert();
  return { ...model, file: { ...model.file, prefixBytesPerToken } };
}

async function plan(
  more: LanePlanOptions & {
    model?: ResolvedModel;
    entryPath?: string;
    tokenizer?: Partial<PlannedTokenizer>;
    opened?: Partial<LaneModel>;
  } = {},
): Promise<LanePlan> {
  said = [];
  const model = more.model ?? (await bert());
  const sink = {
    write: (line: string) => {
      const entry = JSON.parse(line) as { msg: string; lanes?: number };
      said.push(entry.msg);
      if (entry.lanes !== undefined) figures = entry;
    },
  };
  return await planLanes({
    calibrationDir,
    entryPath: LANE_ENTRY,
    ...more,
    model,
    device: { kind: "cpu" },
    laneModel: { ...laneOptions("bert").model, onnxPath: model.onnxPath, ...more.opened },
    env: process.env,
    tokenizer: { ...FIXTURE_TOKENIZER, ...more.tokenizer },
    maxJobBytes: 33_554_432,
    logger: pino({ level: "info" }, sink),
  });
}

describe("a model's calibration", () => {
  it("tells what int8 gains over fp32 on this host, or how to find out if that is not known", async () => {
    const int8 = await bert("int8");
    await plan({ model: int8 });
    expect(said.join("\n")).toContain(
      `\`rankmill models prepare ${fixtureFolder("bert")} --calibrate\` measures fp32`,
    );
    await plan();
    await plan({ model: int8 });
    expect(said.join("\n")).toMatch(
      /int8 scores pairs of \d+ tokens \d+\.\d times as fast as fp32/,
    );
  });

  it("is measured at the first start and only read at the next", async () => {
    const first = await plan();
    expect(said).toContain("calibrated");
    expect(await readdir(calibrationDir)).toHaveLength(1);
    const second = await plan({ entryPath: NO_LANE });
    expect(said).not.toContain("calibrated");
    expect(second.lanes).toBe(first.lanes);
    expect(second.memory.activation).toEqual(first.memory.activation);
  });

  it("is another one for another precision", async () => {
    await plan();
    const int8 = await plan({ model: await bert("int8") });
    expect(await readdir(calibrationDir)).toHaveLength(2);
    expect(int8.limits).toMatchObject({ maxBatchSize: 1, maxPaddingTokens: 0 });
  });

  it("is measured again if its file is damaged", async () => {
    await plan();
    const [name = ""] = await readdir(calibrationDir);
    await writeFile(join(calibrationDir, name), "{");
    await plan();
    expect(said).toContain("calibrated");
    await plan({ entryPath: NO_LANE });
  });

  it("costs a warning, not the start, if it cannot be kept", async () => {
    const file = join(calibrationDir, "file");
    await writeFile(file, "");
    expect((await plan({ calibrationDir: join(file, "below") })).lanes).toBeGreaterThan(0);
    expect(said).toContainEqual(expect.stringMatching(/calibration cannot be kept: .*ENOTDIR/));
  });

  it("costs a warning, not the start, if it kills its lane", async () => {
    const entryPath = join(await freshFolder(), "dies.mjs");
    await writeFile(entryPath, "process.exit(9);");
    expect((await plan({ entryPath })).limits.maxBatchSize).toBe(1);
    expect(said).toContainEqual(
      expect.stringMatching(/^not calibrated: lane 0 did not start: exit 9/),
    );
    expect(await readdir(calibrationDir)).toEqual([]);
  });

  it("is replaced by single pairs and cautious guesses if the operator wants none", async () => {
    const { limits, lanes } = await plan({
      calibrationDir: undefined,
      entryPath: NO_LANE,
      lanes: 1,
    });
    expect(limits.maxBatchSize).toBe(1);
    expect(lanes).toBe(1);
    expect(said).toContainEqual(expect.stringContaining("not calibrated"));
  });
});

describe("a memory limit", () => {
  it("is refused if it is too small for one lane, in a line that says what is needed", async () => {
    const refused = plan({ memoryLimitBytes: 64 * MIB });
    await expect(refused).rejects.toMatchObject({
      code: "memory_too_small",
      message: expect.stringMatching(
        /^the memory limit of 64 MiB \(option\) is too small for bert fp32: one lane needs \d+ MiB, and the tokenizer \(tokenizers\) takes 32 MiB of it for its vocabulary and 144 MiB to read a text of 1048576 characters; raise the limit, .*, or a lower maxDocumentChars$/,
      ) as string,
    });
  });

  it("is enough if it is what that line says", async () => {
    await plan();
    const message = await plan({ memoryLimitBytes: 64 * MIB }).then(
      () => "",
      (error: Error) => error.message,
    );
    // The memory of this process itself moves by some megabytes between two measurements.
    const needed = Number(/needs (\d+) MiB/.exec(message)?.[1]) + 200;
    const { lanes, memory } = await plan({ memoryLimitBytes: needed * MIB });
    expect(lanes).toBeGreaterThan(0);
    expect(memory.budget.capacityBytes).toBeLessThan(needed * MIB);
  });

  it("a limit that does not hold the tokenizer's longest text is refused, and holds it if texts are shorter", async () => {
    await plan();
    const long = { maxDocumentChars: 268_435_456 };
    const refused = plan({ memoryLimitBytes: 1400 * MIB, tokenizer: long });
    await expect(refused).rejects.toMatchObject({
      code: "memory_too_small",
      message: expect.stringContaining("2184 MiB to read a text of 268435456 characters") as string,
    });
    expect((await plan({ memoryLimitBytes: 1400 * MIB })).lanes).toBeGreaterThan(0);
  });

  it("holds fewer lanes where the tokenizer reads longer texts", async () => {
    const asked = { memoryLimitBytes: 2400 * MIB, lanes: 64 };
    const usual = await plan(asked);
    const longer = await plan({ ...asked, tokenizer: { maxDocumentChars: 134_217_728 } });
    expect(longer.lanes).toBeLessThan(usual.lanes);
  });

  it("shows in the log what the tokenizer takes", async () => {
    await plan();
    expect(figures).toMatchObject({
      tokenizer: "tokenizers",
      tokenizerVocabularyBytes: 32 * MIB,
      tokenizerReadingBytes: 144 * MIB,
    });
  });

  it("holds fewer lanes than were asked for, and says so", async () => {
    const { lanes } = await plan({ memoryLimitBytes: 1400 * MIB, lanes: 64 });
    expect(lanes).toBeLessThan(64);
    expect(said).toContainEqual(expect.stringMatching(/instead of 64 lanes: the memory limit/));
  });
});

describe("a model that shares prefixes", () => {
  const unmeasured = { calibrationDir: undefined, entryPath: NO_LANE, lanes: 2 };
  const limited = { ...unmeasured, memoryLimitBytes: 2400 * MIB };

  it("has room in each lane for the prefix of a pair of the usual length", async () => {
    const without = await plan(limited);
    const perToken = 400_000;
    const model = await sharing(perToken);
    const { laneModel, memory } = await plan({ ...limited, model });
    const prefixBytes = model.maxLength.default * perToken;
    expect(laneModel.prefixBytes).toBe(prefixBytes);
    expect(figures).toMatchObject({ prefixBytes });
    const less = without.memory.budget.capacityBytes - memory.budget.capacityBytes;
    // The memory of this process itself moves by some megabytes between two measurements.
    expect(Math.abs(less - 2 * prefixBytes)).toBeLessThan(64 * MIB);
    expect(without.laneModel.prefixBytes).toBe(0);
  });

  it("keeps no more of them than an eighth of a lane's memory", async () => {
    const perToken = 1_000_000;
    const { laneModel, memory } = await plan({ ...limited, model: await sharing(perToken) });
    const { prefixBytes = 0 } = laneModel;
    expect(prefixBytes).toBeGreaterThan(32 * MIB);
    expect(prefixBytes).toBeLessThan((2400 / 2 / 8) * MIB);
    // A larger one takes of the activations.
    const kept = Math.floor(prefixBytes / perToken);
    expect(memory.bytesOf([[kept + 1]])).toBeGreaterThan((kept + 1) * perToken);
    expect(memory.bytesOf([[kept]])).toBeLessThan(kept * perToken);
  });
});

describe("a model whose folder moved", () => {
  it("keeps its calibration, which goes by its content", async () => {
    await plan();
    const moved = join(await freshFolder(), "moved");
    await cp(fixtureFolder("bert"), moved, { recursive: true });
    const model = await resolveModel(moved, { packageRoot: packageRoot() });
    await plan({ model, entryPath: NO_LANE });
    expect(said).not.toContain("calibrated");
  });
});

/** The plan's figure of a lane of OpenVINO whose rows are padded to these lengths. */
async function laneBytesOf(lengthBuckets: readonly number[]): Promise<number> {
  const opened = { runtime: { kind: "openvino" }, lengthBuckets } as const;
  await plan({ opened, calibrationDir: undefined });
  return (figures as { laneBytes: number }).laneBytes;
}

it("A plan has room for what a runtime keeps of each length to which rows are padded.", async () => {
  const kept = runtimeOf("openvino").keptBytesPerLength;
  expect(kept).toBeGreaterThan(0);
  expect((await laneBytesOf([8, 16, 24])) - (await laneBytesOf([24]))).toBe(2 * kept);
});
