import { execFileSync } from "node:child_process";
import { readFileSync, statfsSync } from "node:fs";
import {
  appendFile,
  chmod,
  cp,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { PLAIN_HEAD } from "../../src/core/heads/head-use.js";
import type { Precision } from "../../src/core/precision.js";
import type { EncodedPair } from "../../src/core/pair.js";
import { readCpuFeatures } from "../../src/inference/host/cpu-features.js";
import { FIRST_PLACE } from "../../src/inference/prepare/graph/first-token.js";
import { readGraph } from "../../src/inference/prepare/graph/onnx-graph.js";
import { LaneProcess } from "../../src/inference/lanes/lane-process.js";
import type { LaneModel } from "../../src/inference/lanes/lane-protocol.js";
import {
  prepareModel,
  type Exclusively,
  type PrepareEvent,
  type PreparedModel,
  type PrepareOptions,
} from "../../src/inference/prepare/prepare-model.js";
import { withFileLease } from "../../src/platform/file-lease.js";
import { firstUnlessLong, given, mounts } from "../support/needs.js";
import { SeededRandom } from "../support/random.js";

const MODELS = fileURLToPath(new URL("../fixtures/models", import.meta.url));
const LANE_ENTRY = fileURLToPath(new URL("../../dist/workers/lane.js", import.meta.url));
const PREPARE_ENTRY = fileURLToPath(new URL("../../dist/workers/prepare.js", import.meta.url));
const OPEN_TIMEOUT_MS = 30_000;
const FILE_OF = {
  fp32: "model.onnx",
  fp16: "model_fp16.onnx",
  int8: "model_int8.onnx",
  uint8: "model_uint8.onnx",
} as const satisfies Partial<Record<Precision, string>>;
/** Below every fixture's vocabulary. */
const HIGHEST_ID = 599;

const leasing: Exclusively = (path, onWait, work) => withFileLease(path, { onWait }, work);
/** A lease that keeps nobody out. */
const careless: Exclusively = (_path, _onWait, work) => work();

let cacheDir: string;
let events: PrepareEvent[];
const lanes: LaneProcess[] = [];

async function freshFolder(): Promise<string> {
  return await mkdtemp(join(tmpdir(), "rankmill-prepare-"));
}

beforeAll(async () => {
  // Tests of one model share its prepared files unless they damage them.
  cacheDir = await freshFolder();
});

afterEach(async () => {
  for (const lane of lanes.splice(0)) {
    lane.kill();
    await lane.died;
  }
});

afterAll(async () => {
  await rm(cacheDir, { recursive: true, force: true });
});

function request(more: Partial<PrepareOptions> = {}): PrepareOptions {
  events = [];
  return {
    onnxPath: join(MODELS, "bert", "onnx", "model.onnx"),
    externalData: [],
    modelDigest: "ab".repeat(32),
    precision: "fp32",
    head: PLAIN_HEAD,
    cacheDir,
    entryPath: PREPARE_ENTRY,
    env: process.env,
    exclusively: leasing,
    onProgress: (event) => events.push(event),
    ...more,
  };
}

async function openLane(onnxPath: string, more: Partial<LaneModel> = {}): Promise<LaneProcess> {
  const lane = await LaneProcess.start(0, {
    entryPath: LANE_ENTRY,
    env: process.env,
    openTimeoutMs: OPEN_TIMEOUT_MS,
    model: {
      onnxPath,
      head: PLAIN_HEAD,
      padId: 0,
      segmentTypeIds: true,
      device: "cpu",
      intraOpThreads: 1,
      ...more,
    },
  });
  lanes.push(lane);
  return lane;
}

/** Single pairs of many lengths, then batches: padded ones, or of one length each. */
function someRuns(padded = true): EncodedPair[][] {
  const random = new SeededRandom(7);
  const pair = (length = random.between(3, 200)): EncodedPair => {
    const ids = Int32Array.from({ length }, () => random.between(5, HIGHEST_ID));
    return { ids, secondStart: length >> 1, truncated: false };
  };
  const sizes = [1, 1, 1, 1, 1, 1, 1, 1, 4, 7];
  return sizes.map((size) => {
    const length = padded ? undefined : random.between(3, 200);
    return Array.from({ length: size }, () => pair(length));
  });
}

async function scoresOf(lane: LaneProcess, runs = someRuns()): Promise<number[][]> {
  return await lane.score(runs);
}

/** The difference of two logits of each pair. */
function meanDistance(some: number[][], others: number[][]): number {
  const theirs = others.flat();
  const all = some.flat().map((logit, i) => Math.abs(logit - (theirs[i] ?? Number.NaN)));
  return all.reduce((sum, one) => sum + one, 0) / all.length;
}

/** Whether the process has the file mapped; taken for granted if the kernel does not tell. */
function mapsOf(pid: number, path: string): boolean {
  if (process.platform !== "linux") return true;
  return readFileSync(`/proc/${pid}/maps`, "utf8").includes(path);
}

/** The most that an fp32 logit may move if it is computed in another order. */
const FP32_TOLERANCE = 1e-5;
/** The most by which logits of a prepared int8 model may be further from fp32 than the original's. */
const INT8_FURTHER = 1.25;

interface Case {
  readonly model: string;
  readonly precision: "fp32" | "fp16" | "int8";
}

/** Layouts whose graphs are prepared without a change of their arithmetic; each is among the first. */
const SAME_BITS: readonly Case[] = [
  { model: "modernbert", precision: "int8" },
  { model: "deberta-v2", precision: "fp32" },
  // On a CPU its attention is full of conversions from and to fp32.
  { model: "bert", precision: "fp16" },
  { model: "xlm-roberta", precision: "fp16" },
  { model: "modernbert", precision: "fp32" },
  { model: "modernbert", precision: "fp16" },
  { model: "deberta-v2", precision: "fp16" },
  { model: "deberta-v2", precision: "int8" },
];
const LESS_WORK: readonly Case[] = [
  { model: "bert", precision: "fp32" },
  { model: "xlm-roberta", precision: "int8" },
  { model: "bert", precision: "int8" },
  { model: "xlm-roberta", precision: "fp32" },
];

async function prepareFixture(
  model: string,
  precision: Case["precision"],
): Promise<{ onnxPath: string; prepared: PreparedModel }> {
  const onnxPath = join(MODELS, model, "onnx", FILE_OF[precision]);
  const modelDigest = Buffer.from(`${model} ${precision}`).toString("hex").padEnd(64, "0");
  return {
    onnxPath,
    prepared: await prepareModel(request({ onnxPath, modelDigest, precision })),
  };
}

describe("a prepared model", () => {
  it.each(firstUnlessLong(SAME_BITS, 4))(
    "gives the original's logits to the bit: $model $precision",
    async ({ model, precision }) => {
      const { onnxPath, prepared } = await prepareFixture(model, precision);
      expect(prepared.unmasked).toBe(false);
      const { exactInt8 } = prepared;
      const original = await scoresOf(await openLane(onnxPath, { exactInt8 }));
      const lane = await openLane(prepared.onnxPath, { prepared: true, exactInt8 });
      expect(await scoresOf(lane)).toEqual(original);
      expect(new Set(original.flat()).size).toBeGreaterThan(original.length);
    },
  );

  it.each(firstUnlessLong(LESS_WORK, 2))(
    "does less than the original and gives the same: $model $precision",
    async ({ model, precision }) => {
      const { onnxPath, prepared } = await prepareFixture(model, precision);
      expect(prepared.unmasked).toBe(true);
      const { nodes } = readGraph(await readFile(prepared.onnxPath));
      const operators = nodes.map(({ operator }) => operator);
      expect(operators).toContain("MultiHeadAttention");
      expect(operators).not.toContain("Softmax");
      expect(nodes.flatMap(({ inputs }) => inputs)).toContain(FIRST_PLACE);
      const runs = someRuns(false);
      const { exactInt8 } = prepared;
      const original = await scoresOf(await openLane(onnxPath, { exactInt8 }), runs);
      // An int8 model is off itself, and what is quantised otherwise differs within that.
      const fp32 = await scoresOf(await openLane(join(MODELS, model, "onnx", FILE_OF.fp32)), runs);
      const lane = await openLane(prepared.onnxPath, { prepared: true, unmasked: true, exactInt8 });
      const scored = await scoresOf(lane, runs);
      const allowed = FP32_TOLERANCE + INT8_FURTHER * meanDistance(original, fp32);
      expect(meanDistance(scored, fp32)).toBeLessThan(allowed);
      await expect(lane.score(someRuns())).rejects.toThrow("rows of several lengths");
    },
  );

  it("gives the same int8 logits with exact products, as on a CPU without VNNI", async () => {
    const onnxPath = join(MODELS, "modernbert", "onnx", "model_int8.onnx");
    const cpu = { arch: "x64", flags: ["avx2", "fma"], model: "a CPU without VNNI" };
    const prepared = await prepareModel(request({ onnxPath, precision: "int8", cpu }));
    expect(prepared.exactInt8).toBe(true);
    const exact = await scoresOf(await openLane(onnxPath, { exactInt8: true }));
    const scored = await scoresOf(
      await openLane(prepared.onnxPath, { prepared: true, exactInt8: true }),
    );
    expect(scored).toEqual(exact);
  });

  it("is mapped by every lane, read-only on disk", async () => {
    const prepared = await prepareModel(request());
    const data = `${prepared.onnxPath}.data`;
    const two = [
      await openLane(prepared.onnxPath, { prepared: true }),
      await openLane(prepared.onnxPath, { prepared: true }),
    ];
    for (const lane of two) expect(mapsOf(lane.pid, data)).toBe(true);
    expect((await stat(data)).mode & 0o222).toBe(0);
    expect((await stat(prepared.onnxPath)).mode & 0o222).toBe(0);
    expect(prepared.bytes).toBe((await stat(data)).size + (await stat(prepared.onnxPath)).size);
  });

  it("is made once and used from then on, from a folder that may not be written", async () => {
    const first = await prepareModel(request());
    const folder = dirname(first.onnxPath);
    const before = await snapshot(folder);
    await chmod(folder, 0o555);
    const again = await prepareModel(request({ entryPath: "/nowhere" }));
    await chmod(folder, 0o755);
    expect(again).toEqual({ ...first, reused: true });
    expect(events).toEqual([]);
    expect(await snapshot(folder)).toEqual(before);
  });

  it("is another one for another CPU, and neither disturbs the other", async () => {
    const here = await prepareModel(request());
    const cpu = await readCpuFeatures();
    const there = await prepareModel(request({ cpu: { ...cpu, flags: ["avx2"] } }));
    expect(there.reused).toBe(false);
    expect(there.key).not.toBe(here.key);
    expect(await prepareModel(request())).toMatchObject({ key: here.key, reused: true });
  });

  it("tells whether it lies in memory already", async () => {
    if (process.platform !== "linux" || statfsSync("/dev/shm").type !== 0x01021994) return;
    const inMemory = await mkdtemp("/dev/shm/rankmill-prepare-");
    try {
      expect((await prepareModel(request({ cacheDir: inMemory }))).onTmpfs).toBe(true);
    } finally {
      await rm(inMemory, { recursive: true });
    }
    const disk = statfsSync(cacheDir).type;
    expect((await prepareModel(request())).onTmpfs).toBe(disk === 0x01021994);
  });
});

describe("several preparers of one model", () => {
  it.each([
    ["wait for the first and use its files", leasing, 1],
    ["do not disturb each other if the lease keeps nobody out", careless, 4],
  ] as const)("%s", async (_name, exclusively, made) => {
    const shared = await freshFolder();
    try {
      const options = request({ cacheDir: shared, exclusively });
      const results = await Promise.all([1, 2, 3, 4].map(() => prepareModel(options)));
      expect(events.filter((event) => event.type === "preparing")).toHaveLength(made);
      expect(events.filter((event) => event.type === "rebuilding")).toEqual([]);
      const { key } = results[0] as PreparedModel;
      expect(results.every((result) => result.key === key)).toBe(true);
      expect(await readdir(shared)).toEqual([key]);
      expect((await prepareModel({ ...options, fullCheck: true })).reused).toBe(true);
    } finally {
      await rm(shared, { recursive: true });
    }
  });

  it("clear away what a killed preparer left long ago, and nothing younger", async () => {
    const shared = await freshFolder();
    try {
      const { key } = await copyOfPrepared(shared);
      await rm(join(shared, key), { recursive: true });
      const [old, young] = [join(shared, `${key}.old.tmp`), join(shared, `${key}.young.tmp`)];
      await mkdir(old);
      await mkdir(young);
      await writeFile(join(old, "model.onnx.data"), "half");
      await utimes(old, 0, 0);
      await prepareModel(request({ cacheDir: shared }));
      expect((await readdir(shared)).sort()).toEqual([key, `${key}.young.tmp`]);
    } finally {
      await rm(shared, { recursive: true });
    }
  });
});

describe("a damaged prepared model", () => {
  const damages: readonly [string, RegExp, (folder: string) => Promise<void>][] = [
    [
      "its weights are cut short",
      /model\.onnx\.data has \d+ bytes instead of/,
      (folder) => truncate(join(folder, "model.onnx.data"), 4096),
    ],
    [
      "a bit of its weights is flipped",
      /model\.onnx\.data was changed/,
      (folder) => flipBit(join(folder, "model.onnx.data")),
    ],
    [
      "a bit of its weights is flipped and the modification time put back",
      /model\.onnx\.data was changed/,
      async (folder) => {
        const path = join(folder, "model.onnx.data");
        const { atime, mtime } = await stat(path);
        await flipBit(path);
        await utimes(path, atime, mtime);
      },
    ],
    [
      "a bit of its graph is flipped",
      /model\.onnx was changed/,
      (folder) => flipBit(join(folder, "model.onnx")),
    ],
    [
      "its graph is longer",
      /model\.onnx has \d+ bytes instead of/,
      (folder) => appendFile(join(folder, "model.onnx"), "x"),
    ],
    [
      "its weights are gone",
      /ENOENT.*model\.onnx\.data/,
      (folder) => rm(join(folder, "model.onnx.data")),
    ],
    ["its description is gone", /ENOENT.*prepared\.json/, (folder) => rm(manifestOf(folder))],
    ["its description is no JSON", /./, (folder) => rewrite(manifestOf(folder), () => "{")],
    [
      "its description lacks a file",
      /prepared\.json cannot be read/,
      (folder) =>
        rewrite(manifestOf(folder), (text) => unsummed(text).replace('"model.onnx.data"', '"x"')),
    ],
    [
      "a figure of its description is another",
      /its checksum does not fit/,
      (folder) =>
        rewrite(manifestOf(folder), (text) => text.replace('"prepareMs": ', '"prepareMs": 1')),
    ],
    [
      "it was made by another runtime and renamed",
      /was made under the key/,
      (folder) =>
        rewrite(manifestOf(folder), (text) =>
          unsummed(text).replace(/"key": ".*"/, '"key": "other"'),
        ),
    ],
  ];

  it.each(firstUnlessLong(damages, 3))(
    "is made again, never used, if %s",
    async (_name, reason, damage) => {
      const shared = await freshFolder();
      try {
        const first = await copyOfPrepared(shared);
        const whole = await hashes(dirname(first.onnxPath));
        await damage(dirname(first.onnxPath));
        const again = await prepareModel(request({ cacheDir: shared }));
        expect(again.reused).toBe(false);
        expect(events.map(({ type }) => type)).toEqual(["rebuilding", "preparing"]);
        const [rebuilding] = events;
        expect(rebuilding?.type === "rebuilding" ? rebuilding.reason : "").toMatch(reason);
        expect(await hashes(dirname(again.onnxPath))).toEqual(whole);
        expect(await readdir(shared)).toEqual([again.key]);
      } finally {
        await rm(shared, { recursive: true });
      }
    },
  );

  it("is made again while a lane that has the old files mapped goes on scoring as before", async () => {
    const shared = await freshFolder();
    try {
      const first = await copyOfPrepared(shared);
      const lane = await openLane(first.onnxPath, { prepared: true });
      const before = await scoresOf(lane);
      await rm(manifestOf(dirname(first.onnxPath)));
      expect((await prepareModel(request({ cacheDir: shared }))).reused).toBe(false);
      expect(await scoresOf(lane)).toEqual(before);
    } finally {
      await rm(shared, { recursive: true });
    }
  });

  it("is made again if the disk itself went bad and a full check is asked for", async () => {
    const shared = await freshFolder();
    try {
      const first = await copyOfPrepared(shared);
      const data = `${first.onnxPath}.data`;
      await flipBit(data);
      // The file looks as if nothing had been written: the stamps of today stand for a hash of yesterday.
      const { size, mtimeNs, ctimeNs, ino } = await stat(data, { bigint: true });
      const stamps = join(dirname(data), "checked.json");
      const checked = JSON.parse(await readFile(stamps, "utf8")) as Record<string, string>;
      checked["model.onnx.data"] = [size, mtimeNs, ctimeNs, ino].join(":");
      await writeFile(stamps, JSON.stringify(checked));
      const again = await prepareModel(request({ cacheDir: shared, fullCheck: true }));
      expect(again.reused).toBe(false);
      expect(events.map(({ type }) => type)).toContain("rebuilding");
    } finally {
      await rm(shared, { recursive: true });
    }
  });

  it("is told from one that was merely copied, which is hashed once and used", async () => {
    const shared = await freshFolder();
    try {
      const first = await prepareModel(request());
      await cp(dirname(first.onnxPath), join(shared, first.key), { recursive: true });
      const stamps = join(shared, first.key, "checked.json");
      const before = await readFile(stamps, "utf8");
      expect((await prepareModel(request({ cacheDir: shared }))).reused).toBe(true);
      expect(await readFile(stamps, "utf8")).not.toBe(before);
    } finally {
      await rm(shared, { recursive: true });
    }
  });
});

describe("a preparation that fails", () => {
  it("names a damaged ONNX file in one line and leaves nothing behind", async () => {
    const shared = await freshFolder();
    try {
      const onnxPath = join(shared, "model.onnx");
      await writeFile(onnxPath, "no model");
      const message = await failure({ onnxPath, cacheDir: join(shared, "prepared") });
      expect(message).toMatch(/cannot prepare .*model\.onnx: .*cannot open it/);
      expect(await readdir(join(shared, "prepared"))).toEqual([]);
    } finally {
      await rm(shared, { recursive: true });
    }
  });

  it("says in one line that its process was killed, and leaves nothing behind", async () => {
    const shared = await freshFolder();
    try {
      const entryPath = join(shared, "killed.mjs");
      await writeFile(entryPath, 'process.kill(process.pid, "SIGKILL")');
      const message = await failure({ entryPath, cacheDir: join(shared, "prepared") });
      expect(message).toMatch(/was killed, most likely for want of memory/);
      expect(await readdir(join(shared, "prepared"))).toEqual([]);
    } finally {
      await rm(shared, { recursive: true });
    }
  });

  it("says in one line that a folder cannot be made", async () => {
    const shared = await freshFolder();
    try {
      await writeFile(join(shared, "file"), "");
      const message = await failure({ cacheDir: join(shared, "file", "prepared") });
      expect(message).toMatch(/may not be written .*choose a folder/);
    } finally {
      await rm(shared, { recursive: true });
    }
  });

  // 230 kB become 400: too little to begin with, and enough to begin but not to end.
  it(
    "says in one line that the disk is full, and leaves nothing behind",
    given(mounts),
    async () => {
      for (const size of ["100k", "240k"]) {
        const mount = await freshFolder();
        execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", mount]);
        try {
          const message = await failure({ cacheDir: mount });
          expect(message).toMatch(/the disk is full: free 1 MB at .* or choose another folder/);
          expect(await readdir(mount)).toEqual([]);
        } finally {
          execFileSync("umount", [mount]);
          await rm(mount, { recursive: true });
        }
      }
    },
  );
});

/** The prepared model that tests share, copied to a folder of the test's own and in use there. */
async function copyOfPrepared(folder: string): Promise<PreparedModel> {
  const shared = await prepareModel(request());
  await cp(dirname(shared.onnxPath), join(folder, shared.key), { recursive: true });
  return await prepareModel(request({ cacheDir: folder }));
}

/** The message of a preparation that must fail. */
async function failure(more: Partial<PrepareOptions>): Promise<string> {
  const error: unknown = await prepareModel(request(more)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: "RankmillError", code: "prepare_failed" });
  const message = error instanceof Error ? error.message : "";
  expect(message).not.toContain("\n");
  return message;
}

function manifestOf(folder: string): string {
  return join(folder, "prepared.json");
}

async function rewrite(path: string, change: (text: string) => string): Promise<void> {
  const text = await readFile(path, "utf8");
  const changed = change(text);
  expect(changed).not.toBe(text);
  await chmod(path, 0o644);
  await writeFile(path, changed);
}

/** A description as version 0.1.0 wrote it. */
function unsummed(description: string): string {
  return description.replace(/,\s*"checksum": ".*"/, "");
}

async function flipBit(path: string): Promise<void> {
  await chmod(path, 0o644);
  const file = await open(path, "r+");
  try {
    const { size } = await file.stat();
    const byte = Buffer.alloc(1);
    const position = Math.floor(size / 2);
    await file.read(byte, 0, 1, position);
    byte.writeUInt8(byte.readUInt8() ^ 1);
    await file.write(byte, 0, 1, position);
  } finally {
    await file.close();
  }
}

async function hashes(folder: string): Promise<unknown> {
  return (JSON.parse(await readFile(manifestOf(folder), "utf8")) as { files: unknown }).files;
}

/** Names, sizes, times and inodes. */
async function snapshot(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).sort();
  return await Promise.all(
    names.map(async (name) => {
      const { size, mtimeMs, ino } = await stat(join(folder, name));
      return `${name} ${size} ${mtimeMs} ${ino}`;
    }),
  );
}
